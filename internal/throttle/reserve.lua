-- Reserves time slots for message parts in every limit named, all together, on the clock of this Redis.
--
-- KEYS    one for each limit: when its next part is due at its rate, "<microseconds since 1970>:<nanoseconds 0 to 999>"; absent means
--         free now. The first limit spaces the parts, the others count them. All keys share one hash tag.
-- ARGV[1] parts wanted, at least 1
-- ARGV[2] horizon in nanoseconds: no part may start later than this from now
-- ARGV[3] the longest horizon that any caller may use, in nanoseconds
-- ARGV[4] the fewest parts that are of use, at least 1: fewer are not taken
-- ARGV[5] the parts of each message, an octet each, so that only whole messages are taken; empty when any number will do
-- ARGV[6] the parts of the longest message there is
-- ARGV[7…] two for each key: nanoseconds between two parts, at least 1, and the most parts at once (of no use with the first key)
--
-- Returns {granted, now, start, interval, retry, held}:
--   granted  parts that got a slot, 0 to ARGV[1]
--   now      microseconds since 1970 on this clock
--   start    nanoseconds from now to the first slot
--   interval nanoseconds between the slots
--   retry    nanoseconds until enough slots may come; 0 when granted
--   held     which limit that is for, counted from 0
--
-- Lua's numbers are doubles, exact to 2^53. Microseconds since 1970 stay below that until 2255; nanoseconds since 1970 would not, so
-- they are only ever counted from now. plan in plan.go is the same arithmetic in Go; a test holds one to the other.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local parts = tonumber(ARGV[1])
local horizon = tonumber(ARGV[2])
local longest = tonumber(ARGV[3])
local least = tonumber(ARGV[4])
local message = tonumber(ARGV[6])

-- Nothing that is alive is due further ahead than the most that one reservation can leave: what is, is of another clock or another rate.
local function ahead(i, most)
  local value = redis.call('GET', KEYS[i])
  if value then
    local micros, nanos = string.match(value, '^(%d+):(%d+)$')
    if micros then return math.min((micros - now) * 1000 + nanos, most) end
  end
  return 0
end

local interval = tonumber(ARGV[7])
local start = math.max(0, ahead(1, longest + interval))
local retry, held = start + (least - 1) * interval - horizon, 0
local granted = math.min(math.floor((horizon - start) / interval) + 1, parts)
local due = {}
for i = 2, #KEYS do
  local own, burst = tonumber(ARGV[5 + 2 * i]), math.max(tonumber(ARGV[6 + 2 * i]), least)
  local early, gain = (burst - 1) * own, own - interval
  local next = ahead(i, longest + math.max(burst, message) * own)
  local wait = next - early + math.max(0, (least - 1) * gain) - start
  if wait > retry then retry, held = wait, i - 1 end
  due[i] = math.max(next, start)
  if gain > 0 then granted = math.min(granted, math.floor((start + early - due[i]) / gain) + 1) end
end
if retry > 0 then
  return {0, now, start, interval, retry, held}
end

if granted < parts and #ARGV[5] > 0 then
  local whole = 0
  for i = 1, #ARGV[5] do
    local size = string.byte(ARGV[5], i)
    if whole + size > granted then break end
    whole = whole + size
  end
  granted = whole
end

local last = start + (granted - 1) * interval
for i = 1, #KEYS do
  local own = ARGV[5 + 2 * i]
  local next = last + own
  if i > 1 then next = math.max(next, due[i] + granted * own) end
  local micros = math.floor(next / 1000)
  redis.call('SET', KEYS[i], string.format('%.0f:%.0f', now + micros, next - micros * 1000),
    'PX', string.format('%.0f', math.ceil(next / 1000000) + 1000))
end
return {granted, now, start, interval, 0, 0}
