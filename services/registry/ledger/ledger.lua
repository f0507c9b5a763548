#!lua name=resight_ledger_VERSION

-- The ledger's operations on one gallery. The server runs each of them alone, from
-- start to end, so none sees another's half-done work. Everything is checked before
-- the first write, because a script that fails is not rolled back.
--
-- A gallery's keys end in these names:
--   entries     hash  entry number -> '<enrolment number> <individual> <founded> ...\n<Decision>'
--   decided     hash  sighting -> entry number
--   enrolments  hash  enrolment number -> <Enrolment>
--   members     hash  sighting -> individual; without one if a person called it unidentifiable
--   groups      hash  individual -> how many sightings it has, which are in the list
--               'groups:<individual>' in the order in which they came
--   successors  hash  individual that was merged -> the one that it was merged into ('': none of
--               its sightings belongs to anybody any more)
--   revisions   hash  individual -> number of the entry that last changed its group
--   records     hash  sighting -> '<enrolment number>\n<image>\n<anchors>\n<comparisons>'; the
--               anchors are sightings that it stays with, with a space between them
--   encounters  hash  encounter -> the sightings of one animal in one burst, each ended by '\n'
--   standings   hash  sighting -> how its list of candidates looked
--   bonds       hash  sighting -> what people said of it and others, each '=<other>' for the same
--               animal or '!<other>' for two, ended by '\n', as often as it was said
--   undone      hash  number of a person's entry -> number of the entry that took it back
--   questions   hash  '<individual> <individual>' that may be one -> '<log-odds> <sighting of the
--               first> <sighting of the second>', the two that are most alike
--   captures    hash  image's digest -> the sightings in it, each ended by '\n'
--   counters    hash  entries, enrolments, individuals, mint (the latest founding's enrolment),
--               splits (those that evidence made, not people), epoch (in which all numbers count), form
--               (2: individuals have lists; an earlier version had none of it)
--   outbox      zset  numbers of entries that the broker is not known to have taken
--   proofs      hash  '<topic> <partition> first' and '… last' -> '<offset> <number>' of the
--               first and the last record of the gallery that the partition took
--   labels      hash  a catalogue's name of an animal -> the first sighting that came under it
--   deployments set   the cameras that have seen anybody
--   lease       string  the sighting that alone may found an individual, until the key expires
--
-- <Decision> and <Enrolment> are messages without the numbers and the individuals. An
-- individual that an entry founds is called +0, +1, … in it, and is the first, second, … <founded>.

-- The order in which a call names a gallery's keys; `keys.py` has it, and `store.py` fills it in.
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

-- A call takes some thousands of arguments at most.
local function append(list, items)
  for start = 1, #items, 1000 do
    redis.call('RPUSH', list, unpack(items, start, math.min(start + 999, #items)))
  end
end

-- The individuals seen in an image.
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

-- What was decided about a sighting: entry number, entry, enrolment, epoch; nil before that.
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

-- Why a sighting may not be decided now: status, and the numbers between which enrolments
-- were not compared with it. nil: it may. To found an individual all enrolments must have been
-- compared, and for a doubt too, which one of them might settle; a known one needs those of
-- individuals founded since. On the last pass a lease ends it for the one that founds, and the
-- others wait no more.
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
    -- Others go on adding to known individuals while the lease lasts; were that to
    -- count, a busy gallery could refuse for ever. Nobody else founds.
    newest = counter(key, 'mint')
  end
  -- watermark check begins
  if newest > watermark then
    return {'STALE', watermark, enrolled}
  end
  -- watermark check ends
  return nil
end

-- Read the changes that end a decision's arguments, from `at` on: individuals with the revisions
-- that they were read at, then merges as pairs, then splits as from, into, count, sightings ('' is
-- nobody in both places), then bonds as '=' or '!' ('-=' or '-!' to lift it) and two sightings,
-- then questions as two individuals and what is kept of them. Each of the five has its count before
-- it. At the end stands the number of the entry that is taken back, 0 for none.
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

-- What of the changes can't be: CONFLICT where an individual has changed since it was read, APART
-- with two individuals that would become one although an image shows both or a person said that
-- they differ. nil: nothing.
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

-- An individual that was merged is one again when sightings come back to it.
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

-- What is open between the individuals that were read is now this, and nothing else.
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

-- Decide about a sighting, once; or carry out a person's operation, which stands in its place.
-- Arguments: sighting, its image's digest, outcome (known, new, review, unidentifiable, operation),
-- its individual ('+0' and so on for one that it founds; '' for none), the prefix of individuals'
-- IDs, how many are founded, watermark ('' where nothing can be compared with it, ever),
-- milliseconds of lease to take if it can't be founded now (0: it may go round again), <Decision>,
-- <Enrolment>, comparisons, standing, anchors, encounter ('': none), a catalogue's name of the animal
-- ('': none), the deployment, the epoch if the gallery has none yet, and what `changes` reads.
-- Returns DECIDED with what `decision` gives; STALE or LEASED with the numbers that `refusal`
-- gives; CONFLICT: the individual is gone, has changed, or is in this image already; APART; or
-- FORM: the gallery has first to be brought up to this version.
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

-- What a decision needs to know first. Arguments: sighting, its image's digest, its encounter
-- ('': none), candidates' sightings. Returns the decision about the sighting (empty: none), the
-- individuals taken in its image, of each candidate its individual ('' for one that is not in this
-- ledger), the same for its standing, the counters enrolments and splits, pairs of sighting and
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

-- What individuals are made of. Arguments: how many sightings at most, how many of one at most,
-- the latest; then individuals, the most wanted first. Returns for each its revision, how many
-- sightings it has, and of each sighting its ID, record and bonds: of none where there is no room
-- left for it.
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

-- Give sightings of an earlier version what this one keeps of each. Arguments: comparisons with
-- nothing; then sighting, its image's digest, enrolment number of each. Those that have a record
-- stay as they are. In that version an image had its individuals, not its sightings.
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

-- Put the sightings of individuals into lists, which an earlier version kept as the lines of a text.
-- Arguments: individuals. Those that have a list stay as they are.
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

-- Take note of what the broker has. Arguments: how many entries it has whole, their
-- numbers, then pairs of '<topic> <partition>' and '<offset> <number>'.
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

-- Entries are to be published again, as the broker has lost them. Arguments: the first, the last.
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
