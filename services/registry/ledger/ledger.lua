#!lua name=resight_ledger_VERSION

-- The ledger's operations on one gallery. The server runs each one atomically, but does not
-- roll back a failed script: so everything is checked before the first write.
--
-- A gallery's keys, by their last part:
--   entries     hash  entry number -> '<enrolment number> <individual> <founded> ...\n<Decision>'
--   decided     hash  sighting -> entry number
--   enrolments  hash  enrolment number -> <Enrolment>
--   members     hash  sighting -> individual; none if a person called it unidentifiable
--   groups      hash  individual -> number of its sightings, which are in the list
--               'groups:<individual>' in order
--   successors  hash  merged individual -> its successor ('': its sightings belong to no
--               individual)
--   revisions   hash  individual -> number of the entry that last changed its group
--   records     hash  sighting -> '<enrolment number>\n<image>\n<anchors>\n<comparisons>';
--               anchors are the sightings it is bound to, separated by spaces
--   encounters  hash  encounter -> the sightings of one animal in one burst, each ended by '\n'
--   standings   hash  sighting -> score statistics of its list of candidates
--   bonds       hash  sighting -> constraints by people, each '=<other>' (same animal) or
--               '!<other>' (different), ended by '\n', as often as stated
--   undone      hash  number of a person's entry -> number of the entry that undid it
--   questions   hash  '<individual> <individual>' that may be one -> '<log-odds> <sighting of the
--               first> <sighting of the second>', the most similar pair
--   captures    hash  image's digest -> the sightings in it, each ended by '\n'
--   counters    hash  entries, enrolments, individuals, mint (the latest founding's enrolment),
--               splits (by evidence, not people), epoch (in which all numbers count), form
--               (2: individuals have lists; absent in earlier versions)
--   outbox      zset  numbers of entries not known to be published
--   proofs      hash  '<topic> <partition> first' and '… last' -> '<offset> <number>' of the
--               gallery's first and last acknowledged record there
--   labels      hash  name in a catalogue -> its first sighting
--   deployments set   cameras that recorded an animal
--   lease       string  the only sighting that may found an individual, until the key expires
--
-- <Decision> and <Enrolment> are messages without numbers and individuals. Individuals that an
-- entry founds are named +0, +1, … in it: the first, second, … of <founded>.

-- The order of a gallery's keys in a call: defined in `keys.py`, inserted by `store.py`.
local NAMES = {KEY_NAMES}

local function named(keys)
  local key = {}
  for index, name in ipairs(NAMES) do
    key[name] = keys[index]
  end
  return key
end

local function counter(key, name)
  return tonumber(redis.call('HGET', key.counters, name) or 0)
end

local function lines(text)
  return (text or ''):gmatch('[^\n]+')
end

local function group(key, individual)
  return key.groups .. ':' .. individual
end

local function members_of(key, individual)
  return redis.call('LRANGE', group(key, individual), 0, -1)
end

-- A call is limited to some thousands of arguments.
local function append(list, items)
  for start = 1, #items, 1000 do
    redis.call('RPUSH', list, unpack(items, start, math.min(start + 999, #items)))
  end
end

-- The individuals in an image.
local function taken(key, image)
  local found = {}
  for sighting in lines(redis.call('HGET', key.captures, image)) do
    local individual = redis.call('HGET', key.members, sighting)
    if individual then
      found[individual] = sighting
    end
  end
  return found
end

-- A sighting's decision: entry number, entry, enrolment, epoch; nil if undecided.
local function decision(key, sighting)
  local number = redis.call('HGET', key.decided, sighting)
  if not number then
    return nil
  end
  local entry = redis.call('HGET', key.entries, number)
  local enrolment = redis.call('HGET', key.enrolments, entry:match('^%d+'))
  local epoch = redis.call('HGET', key.counters, 'epoch') or ''
  return {'DECIDED', tonumber(number), entry, enrolment or '', epoch}
end

-- Why a sighting cannot be decided now: status, and the range of enrolments not compared with
-- it. nil: it can. To found an individual, or if uncertain, all enrolments must have been
-- compared; for a known one, those of individuals founded since. On the last pass the founder
-- takes a lease, and others no longer wait.
local function refusal(key, sighting, founds, outcome, watermark, lease_ms)
  local enrolled = counter(key, 'enrolments')
  if watermark > enrolled then
    watermark = 0 -- not this ledger's gallery: nothing is known to have been compared
  end
  local newest = enrolled
  if outcome == 'known' then
    newest = counter(key, 'mint')
  end
  if not founds then
    if lease_ms == 0 and newest > watermark then
      return {'STALE', watermark, enrolled}
    end
    return nil
  end
  local holder = redis.call('GET', key.lease)
  if holder and holder ~= sighting then
    return {'LEASED', watermark, enrolled}
  end
  if lease_ms > 0 then
    redis.call('SET', key.lease, sighting, 'PX', lease_ms)
    -- During the lease others may still be added to known individuals; if those counted, a busy
    -- gallery could refuse for ever. No other sighting founds.
    newest = counter(key, 'mint')
  end
  -- watermark check begins
  if newest > watermark then
    return {'STALE', watermark, enrolled}
  end
  -- watermark check ends
  return nil
end

-- Read the changes at the end of a decision's arguments, from `at` on: individuals with the
-- revisions read, merges as pairs, splits as from, into, count, sightings ('': no individual),
-- constraints as '=' or '!' ('-=' or '-!' lifts one) and two sightings, and questions as two
-- individuals and their value. Each list is preceded by its length. The last argument is the
-- number of the undone entry, 0: none.
local function changes(args, at)
  local read = {expected = {}, merges = {}, splits = {}, bonds = {}, questions = {}}
  local function next_one()
    at = at + 1
    return args[at - 1]
  end
  for _ = 1, tonumber(next_one()) do
    read.expected[#read.expected + 1] = {next_one(), next_one()}
  end
  for _ = 1, tonumber(next_one()) do
    read.merges[#read.merges + 1] = {from = next_one(), into = next_one()}
  end
  for _ = 1, tonumber(next_one()) do
    local split = {from = next_one(), into = next_one(), sightings = {}}
    for _ = 1, tonumber(next_one()) do
      split.sightings[#split.sightings + 1] = next_one()
    end
    read.splits[#read.splits + 1] = split
  end
  for _ = 1, tonumber(next_one()) do
    read.bonds[#read.bonds + 1] = {kind = next_one(), one = next_one(), other = next_one()}
  end
  for _ = 1, tonumber(next_one()) do
    read.questions[#read.questions + 1] = {next_one(), next_one(), next_one()}
  end
  read.undoes = next_one()
  return read
end

-- Why the changes are impossible: CONFLICT if an individual has changed since it was read, APART
-- with two individuals that would be merged although an image shows both or a person said that
-- they differ. nil: they are possible.
local function impossible(key, read, image, individual)
  for _, pair in ipairs(read.expected) do
    if (redis.call('HGET', key.revisions, pair[1]) or '0') ~= pair[2] then
      return {'CONFLICT'}
    end
  end
  if redis.call('HEXISTS', key.undone, read.undoes) == 1 then
    return {'CONFLICT'}
  end
  local becomes = {} -- what each individual that is merged becomes
  for _, merge in ipairs(read.merges) do
    becomes[merge.from] = merge.into
  end
  local moved = {} -- where each sighting of a split goes
  for _, split in ipairs(read.splits) do
    for _, sighting in ipairs(split.sightings) do
      moved[sighting] = split.into
    end
  end
  local lifted = {} -- how often what was said of a pair is taken back
  for _, bond in ipairs(read.bonds) do
    if bond.kind:sub(1, 1) == '-' then
      for one, other in pairs({[bond.one] = bond.other, [bond.other] = bond.one}) do
        local said = one .. bond.kind:sub(2) .. other
        lifted[said] = (lifted[said] or 0) + 1
      end
    end
  end
  local function after(sighting, individual)
    return moved[sighting] or becomes[individual] or individual
  end
  local function alone(sighting, individual)
    if after(sighting, individual) == '' then
      return nil
    end
    local record = redis.call('HGET', key.records, sighting)
    local image = record and record:match('^%d+\n([^\n]*)\n')
    local others = {}
    for other in lines(image and redis.call('HGET', key.captures, image)) do
      others[#others + 1] = other
    end
    local said = {}
    for bond in lines(redis.call('HGET', key.bonds, sighting)) do
      said[bond] = (said[bond] or 0) + 1
      if bond:sub(1, 1) == '!' and said[bond] > (lifted[sighting .. bond] or 0) then
        others[#others + 1] = bond:sub(2)
      end
    end
    for _, other in ipairs(others) do
      local its = redis.call('HGET', key.members, other)
      if other ~= sighting and its and after(other, its) == after(sighting, individual) then
        return {'APART', individual, its}
      end
    end
  end
  for _, bond in ipairs(read.bonds) do
    if bond.kind:sub(1, 1) ~= '-' then
      local one = after(bond.one, redis.call('HGET', key.members, bond.one) or '')
      local other = after(bond.other, redis.call('HGET', key.members, bond.other) or '')
      if one == '' or other == '' then
        return {'CONFLICT'}
      end
      if (bond.kind == '=') ~= (one == other) then
        return {'APART', one, other}
      end
    end
  end
  for its, sighting in pairs(taken(key, image)) do
    if after(sighting, its) == individual then
      return {'CONFLICT'}
    end
  end
  for _, merge in ipairs(read.merges) do
    for _, sighting in ipairs(members_of(key, merge.from)) do
      local together = alone(sighting, merge.from)
      if together then
        return together
      end
    end
  end
  for _, split in ipairs(read.splits) do
    for _, sighting in ipairs(split.sightings) do
      local together = alone(sighting, split.from)
      if together then
        return together
      end
    end
  end
  return nil
end

local function touch(key, individual, number)
  redis.call('HSET', key.revisions, individual, number)
end

-- A merged individual exists again when sightings return to it.
local function add(key, individual, sightings)
  redis.call('HDEL', key.successors, individual)
  redis.call('HINCRBY', key.groups, individual, #sightings)
  append(group(key, individual), sightings)
  for _, sighting in ipairs(sightings) do
    redis.call('HSET', key.members, sighting, individual)
  end
end

local function apply(key, read, founded, number)
  local function name(individual)
    return founded[individual] or individual
  end
  for _, merge in ipairs(read.merges) do
    local into = name(merge.into)
    add(key, into, members_of(key, merge.from))
    redis.call('HDEL', key.groups, merge.from)
    redis.call('DEL', group(key, merge.from))
    redis.call('HSET', key.successors, merge.from, into)
    touch(key, merge.from, number)
    touch(key, into, number)
  end
  for _, split in ipairs(read.splits) do
    local into, goes = name(split.into), {}
    for _, sighting in ipairs(split.sightings) do
      goes[sighting] = true
    end
    if split.from ~= '' then
      local stays = {}
      for _, sighting in ipairs(members_of(key, split.from)) do
        if not goes[sighting] then
          stays[#stays + 1] = sighting
        end
      end
      redis.call('HSET', key.groups, split.from, #stays)
      redis.call('DEL', group(key, split.from))
      append(group(key, split.from), stays)
      if #stays == 0 then
        redis.call('HDEL', key.groups, split.from)
        redis.call('HSET', key.successors, split.from, into)
      end
      touch(key, split.from, number)
    end
    if into ~= '' then
      add(key, into, split.sightings)
      touch(key, into, number)
    else
      for _, sighting in ipairs(split.sightings) do
        redis.call('HDEL', key.members, sighting)
      end
    end
  end
end

local function bind(key, bonds)
  for _, bond in ipairs(bonds) do
    local kind = bond.kind:gsub('%-', '')
    for one, other in pairs({[bond.one] = bond.other, [bond.other] = bond.one}) do
      local kept, lifts = {}, kind ~= bond.kind
      for line in lines(redis.call('HGET', key.bonds, one)) do
        if lifts and line == kind .. other then
          lifts = false
        else
          kept[#kept + 1] = line .. '\n'
        end
      end
      if kind == bond.kind then
        kept[#kept + 1] = kind .. other .. '\n'
      end
      redis.call('HSET', key.bonds, one, table.concat(kept))
    end
  end
end

-- Replace all questions between the individuals that were read.
local function ask(key, read, founded)
  local function pair(one, other)
    return one < other and one .. ' ' .. other or other .. ' ' .. one
  end
  for index, one in ipairs(read.expected) do
    for other = index + 1, #read.expected do
      redis.call('HDEL', key.questions, pair(one[1], read.expected[other][1]))
    end
  end
  for _, question in ipairs(read.questions) do
    local one, other = founded[question[1]] or question[1], founded[question[2]] or question[2]
    local said = question[3]
    if other < one then
      said = said:gsub('^(%S+) (%S+) (%S+)$', '%1 %3 %2')
    end
    redis.call('HSET', key.questions, pair(one, other), said)
  end
end

-- Decide about a sighting once, or apply a person's operation.
-- Arguments: sighting, its image's digest, outcome (known, new, review, unidentifiable, operation),
-- its individual ('+0' and so on for one that it founds; '' for none), the prefix of individuals'
-- IDs, how many are founded, watermark ('': it cannot be compared),
-- milliseconds of lease to take if it cannot be founded now (0: another pass is possible), <Decision>,
-- <Enrolment>, comparisons, score statistics, anchors, encounter ('': none), name in a catalogue
-- ('': none), the deployment, the epoch if the gallery has none yet, and what `changes` reads.
-- Returns DECIDED with what `decision` gives; STALE or LEASED with the numbers that `refusal`
-- gives; CONFLICT: the individual is gone, changed, or in this image already; APART; or
-- FORM: the gallery must be migrated first.
local function decide(keys, args)
  local key = named(keys)
  local sighting, image, outcome, individual = args[1], args[2], args[3], args[4]
  local before = decision(key, sighting)
  if before then
    return before
  end
  if counter(key, 'entries') > 0 and counter(key, 'form') < 2 then
    return {'FORM'} -- an earlier version's; half of a decision could not be written
  end
  local founds = individual:sub(1, 1) == '+'
  if args[7] ~= '' then
    local watermark, lease_ms = tonumber(args[7]), tonumber(args[8])
    local refused = refusal(key, sighting, founds, outcome, watermark, lease_ms)
    if refused then
      return refused
    end
  end
  local read, label = changes(args, 18), args[15]
  local anchor = label ~= '' and redis.call('HGET', key.labels, label)
  local labelled = anchor and redis.call('HGET', key.members, anchor)
  if label ~= '' and (labelled or '+0') ~= individual then
    return {'CONFLICT'} -- another sighting came under this name meanwhile
  end
  local fault = impossible(key, read, image, individual)
  if fault then
    return fault
  end
  if individual ~= '' and not founds and redis.call('HEXISTS', key.groups, individual) == 0 then
    return {'CONFLICT'}
  end

  local number = redis.call('HINCRBY', key.counters, 'entries', 1)
  if number == 1 then
    redis.call('HSET', key.counters, 'epoch', args[17], 'form', 2)
  end
  local enrolment = 0
  if individual ~= '' then
    enrolment = redis.call('HINCRBY', key.counters, 'enrolments', 1)
  end
  local founded, order = {}, {}
  for index = 0, tonumber(args[6]) - 1 do
    local count = redis.call('HINCRBY', key.counters, 'individuals', 1)
    order[#order + 1] = string.format('%s-%04d', args[5], count)
    founded['+' .. index] = order[#order]
  end
  apply(key, read, founded, number)
  bind(key, read.bonds)
  if read.undoes ~= '0' then
    redis.call('HSET', key.undone, read.undoes, number)
  end
  ask(key, read, founded)
  if outcome ~= 'operation' then
    redis.call('HINCRBY', key.counters, 'splits', #read.splits)
  end
  individual = founded[individual] or individual
  if individual ~= '' then
    redis.call('HSET', key.enrolments, enrolment, args[10])
    local record = table.concat({enrolment, image, args[13], args[11]}, '\n')
    redis.call('HSET', key.records, sighting, record)
    redis.call('HSET', key.standings, sighting, args[12])
    local there = redis.call('HGET', key.captures, image) or ''
    redis.call('HSET', key.captures, image, there .. sighting .. '\n')
    if args[14] ~= '' then
      local companions = redis.call('HGET', key.encounters, args[14]) or ''
      redis.call('HSET', key.encounters, args[14], companions .. sighting .. '\n')
    end
    add(key, individual, {sighting})
    touch(key, individual, number)
    if label ~= '' and not labelled then
      redis.call('HSET', key.labels, label, sighting)
    end
  end
  if founds then
    redis.call('HSET', key.counters, 'mint', enrolment)
  end
  local top = table.concat({enrolment, individual, unpack(order)}, ' ')
  redis.call('HSET', key.entries, number, top .. '\n' .. args[9])
  redis.call('HSET', key.decided, sighting, number)
  if args[16] ~= '' then
    redis.call('SADD', key.deployments, args[16])
  end
  redis.call('ZADD', key.outbox, number, number)
  if redis.call('GET', key.lease) == sighting then
    redis.call('DEL', key.lease)
  end
  return decision(key, sighting)
end

-- Data needed before a decision. Arguments: sighting, its image's digest, its encounter
-- ('': none), candidates' sightings. Returns the decision about the sighting (empty: none), the
-- individuals taken in its image, each candidate's individual ('': not in this ledger), each
-- candidate's score statistics, the counters enrolments and splits, pairs of sighting and
-- individual of its encounter, and the epoch.
local function look(keys, args)
  local key = named(keys)
  local individuals, standings, seen = {}, {}, {}
  for index = 4, #args do
    local individual = redis.call('HGET', key.members, args[index])
    if individual and redis.call('HEXISTS', key.groups, individual) == 0 then
      individual = nil
    end
    individuals[#individuals + 1] = individual or ''
    standings[#standings + 1] = redis.call('HGET', key.standings, args[index]) or ''
  end
  for individual in pairs(taken(key, args[2])) do
    seen[#seen + 1] = individual
  end
  local before, enrolled = decision(key, args[1]) or {}, counter(key, 'enrolments')
  local companions = {}
  for sighting in lines(args[3] ~= '' and redis.call('HGET', key.encounters, args[3])) do
    companions[#companions + 1] = sighting
    companions[#companions + 1] = redis.call('HGET', key.members, sighting) or ''
  end
  local splits = counter(key, 'splits')
  local epoch = redis.call('HGET', key.counters, 'epoch') or ''
  return {before, seen, individuals, standings, enrolled, splits, companions, epoch}
end

-- Sightings of individuals. Arguments: maximum number of sightings, maximum per individual (the
-- latest); then individuals by priority. Returns for each its revision, its number of sightings,
-- and for each sighting ID, record and constraints; none if the maximum is reached.
local function sightings(keys, args)
  local key = named(keys)
  local found, room, most = {}, tonumber(args[1]), tonumber(args[2])
  for index = 3, #args do
    local all, told = redis.call('LLEN', group(key, args[index])), {}
    local count = math.min(all, most)
    if 0 < count and count <= room then
      room = room - count
      for _, sighting in ipairs(redis.call('LRANGE', group(key, args[index]), -count, -1)) do
        told[#told + 1] = sighting
        told[#told + 1] = redis.call('HGET', key.records, sighting) or ''
        told[#told + 1] = redis.call('HGET', key.bonds, sighting) or ''
      end
    end
    found[#found + 1] = {redis.call('HGET', key.revisions, args[index]) or '0', all, told}
  end
  return found
end

-- Migrate sightings of an earlier version. Arguments: empty comparisons; then sighting, its
-- image's digest, and enrolment number of each. Existing records are kept. In that version an
-- image listed its individuals, not its sightings.
local function adopt(keys, args)
  local key = named(keys)
  for index = 2, #args, 3 do
    local sighting, image, number = args[index], args[index + 1], args[index + 2]
    local individual = redis.call('HGET', key.members, sighting)
    if individual and redis.call('HEXISTS', key.records, sighting) == 0 then
      local record = table.concat({number, image, '', args[1]}, '\n')
      redis.call('HSET', key.records, sighting, record)
      local there = {}
      for other in lines(redis.call('HGET', key.captures, image)) do
        if redis.call('HEXISTS', key.members, other) == 1 then
          there[#there + 1] = other .. '\n'
        end
      end
      redis.call('HSET', key.captures, image, table.concat(there) .. sighting .. '\n')
      add(key, individual, {sighting})
    end
  end
  return (#args - 1) / 3
end

-- Migrate the sightings of individuals from lines of text into lists. Arguments: individuals.
-- Existing lists are kept.
local function regroup(keys, args)
  local key = named(keys)
  for _, individual in ipairs(args) do
    local kept = redis.call('HGET', key.groups, individual) or ''
    if kept:sub(-1) == '\n' then
      local sightings = {}
      for sighting in lines(kept) do
        sightings[#sightings + 1] = sighting
      end
      redis.call('DEL', group(key, individual))
      append(group(key, individual), sightings)
      redis.call('HSET', key.groups, individual, #sightings)
    end
  end
  return redis.status_reply('OK')
end

-- Record what the broker acknowledged. Arguments: number of complete entries, their numbers, then
-- pairs of '<topic> <partition>' and '<offset> <number>'.
local function acknowledge(keys, args)
  local key = named(keys)
  local count = tonumber(args[1])
  for index = 2, count + 1 do
    redis.call('ZREM', key.outbox, args[index])
  end
  for index = count + 2, #args, 2 do
    local first, last = args[index] .. ' first', args[index] .. ' last'
    redis.call('HSETNX', key.proofs, first, args[index + 1])
    local before = redis.call('HGET', key.proofs, last) or '-1 0'
    if tonumber(args[index + 1]:match('^%d+')) > tonumber(before:match('^-?%d+')) then
      redis.call('HSET', key.proofs, last, args[index + 1])
    end
  end
  return count
end

-- Mark entries as unpublished because the broker has lost them. Arguments: first, last.
local function reopen(keys, args)
  local key = named(keys)
  for number = tonumber(args[1]), tonumber(args[2]) do
    redis.call('ZADD', key.outbox, number, number)
  end
  redis.call('DEL', key.proofs)
  return redis.status_reply('OK')
end

redis.register_function('resight_decide_VERSION', decide)
redis.register_function('resight_acknowledge_VERSION', acknowledge)
redis.register_function('resight_reopen_VERSION', reopen)
redis.register_function('resight_adopt_VERSION', adopt)
redis.register_function('resight_regroup_VERSION', regroup)
redis.register_function{
  function_name = 'resight_look_VERSION', callback = look, flags = {'no-writes'}
}
redis.register_function{
  function_name = 'resight_sightings_VERSION', callback = sightings, flags = {'no-writes'}
}
