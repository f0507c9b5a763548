#!lua name=resight_ledger_VERSION

-- The ledger's operations on one gallery. The server runs each of them alone, from
-- start to end, so none sees another's half-done work. Everything is checked before
-- the first write, because a script that fails is not rolled back.
--
-- A gallery's keys end in these names:
--   entries     hash  entry number -> '<enrolment number> <individual>\n<Decision>'
--   decided     hash  sighting -> entry number
--   enrolments  hash  enrolment number -> <Enrolment>
--   members     hash  sighting -> individual
--   individuals hash  individual -> number of the enrolment that minted it
--   captures    hash  image's digest -> the individuals seen in it, each ended by '\n'
--   counters    hash  entries, enrolments, individuals, mint (the latest mint's enrolment)
--   outbox      zset  numbers of entries that the broker is not known to have taken
--   proofs      hash  '<topic> <partition> first' and '… last' -> '<offset> <number>' of the
--               first and the last record of the gallery that the partition took
--   lease       string  the sighting that alone may mint, until the key expires
--
-- <Decision> and <Enrolment> are messages without the numbers and the individual.

-- The order in which a call names a gallery's keys.
local NAMES = {
  'entries', 'decided', 'enrolments', 'members', 'individuals', 'captures', 'counters',
  'outbox', 'proofs', 'lease',
}

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

local function taken(key, image)
  return redis.call('HGET', key.captures, image) or ''
end

-- What was decided about a sighting: entry number, entry, enrolment; nil before that.
local function decision(key, sighting)
  local number = redis.call('HGET', key.decided, sighting)
  if not number then
    return nil
  end
  local entry = redis.call('HGET', key.entries, number)
  local enrolment = redis.call('HGET', key.enrolments, entry:match('^%d+'))
  return {'DECIDED', tonumber(number), entry, enrolment or ''}
end

-- Why a sighting may not be decided now: status, and the numbers between which enrolments
-- were not compared with it. nil: it may. A new individual needs all enrolments compared, and
-- so does a doubt, which one of them might settle; a known one those of individuals minted
-- since. On the last pass a lease ends it for the new one, and the others wait no more.
local function refusal(key, sighting, outcome, watermark, lease_ms)
  local enrolled = counter(key, 'enrolments')
  if watermark > enrolled then
    watermark = 0 -- not this ledger's gallery: nothing is known to have been compared
  end
  local newest = enrolled
  if outcome == 'known' then
    newest = counter(key, 'mint')
  end
  if outcome ~= 'new' then
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
    -- count, a busy gallery could refuse for ever. Nobody else mints.
    newest = counter(key, 'mint')
  end
  -- watermark check begins
  if newest > watermark then
    return {'STALE', watermark, enrolled}
  end
  -- watermark check ends
  return nil
end

-- Decide about a sighting, once. Arguments: sighting, its image's digest, outcome (known,
-- new, review, unidentifiable), individual (known) or its ID's prefix (new), watermark (''
-- where nothing can be compared with it, ever), milliseconds of lease to take if it can't be
-- minted now (0: it may go round again), <Decision>, <Enrolment>.
-- Returns DECIDED with what `decision` gives; STALE or LEASED with the numbers that
-- `refusal` gives; or CONFLICT: the individual is gone, or it is in this image already.
local function decide(keys, args)
  local key = named(keys)
  local sighting, image, outcome, individual = args[1], args[2], args[3], args[4]
  local before = decision(key, sighting)
  if before then
    return before
  end
  if args[5] ~= '' then
    local refused = refusal(key, sighting, outcome, tonumber(args[5]), tonumber(args[6]))
    if refused then
      return refused
    end
  end
  if outcome == 'new' then
    local count = redis.call('HINCRBY', key.counters, 'individuals', 1)
    individual = string.format('%s-%04d', individual, count)
  elseif outcome == 'known' then
    local unknown = redis.call('HEXISTS', key.individuals, individual) == 0
    local others = '\n' .. taken(key, image)
    if unknown or others:find('\n' .. individual .. '\n', 1, true) then
      return {'CONFLICT'}
    end
  end

  local number = redis.call('HINCRBY', key.counters, 'entries', 1)
  local enrolment = 0
  if outcome == 'known' or outcome == 'new' then
    enrolment = redis.call('HINCRBY', key.counters, 'enrolments', 1)
    redis.call('HSET', key.enrolments, enrolment, args[8])
    redis.call('HSET', key.members, sighting, individual)
    redis.call('HSET', key.captures, image, taken(key, image) .. individual .. '\n')
  end
  if outcome == 'new' then
    redis.call('HSET', key.individuals, individual, enrolment)
    redis.call('HSET', key.counters, 'mint', enrolment)
  end
  redis.call('HSET', key.entries, number, enrolment .. ' ' .. individual .. '\n' .. args[7])
  redis.call('HSET', key.decided, sighting, number)
  redis.call('ZADD', key.outbox, number, number)
  if redis.call('GET', key.lease) == sighting then
    redis.call('DEL', key.lease)
  end
  return decision(key, sighting)
end

-- What a decision needs to know. Arguments: sighting, its image's digest, candidates'
-- sightings. Returns the decision about the sighting (empty: none), the individuals taken in
-- its image, and each candidate's individual ('' for one that is not in this ledger).
local function look(keys, args)
  local key = named(keys)
  local individuals = {}
  for index = 3, #args do
    local individual = redis.call('HGET', key.members, args[index])
    if individual and redis.call('HEXISTS', key.individuals, individual) == 0 then
      individual = nil
    end
    individuals[#individuals + 1] = individual or ''
  end
  return {decision(key, args[1]) or {}, taken(key, args[2]), individuals}
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

-- The broker lost its records: every entry is to be published again.
local function reopen(keys)
  local key = named(keys)
  local count = counter(key, 'entries')
  for number = 1, count do
    redis.call('ZADD', key.outbox, number, number)
  end
  redis.call('DEL', key.proofs)
  return count
end

redis.register_function('resight_decide_VERSION', decide)
redis.register_function('resight_acknowledge_VERSION', acknowledge)
redis.register_function('resight_reopen_VERSION', reopen)
redis.register_function{
  function_name = 'resight_look_VERSION', callback = look, flags = {'no-writes'}
}
