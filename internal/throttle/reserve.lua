-- Reserves time slots for message parts in every limit named, all together, on the clock of this Redis.
--
-- KEYS    one for each limit: its next free slot, "<microseconds since 1970>:<nanoseconds 0 to 999>"; absent means free now.
--         All keys share one hash tag.
-- ARGV[1] parts wanted, at least 1
-- ARGV[2] horizon in nanoseconds: no part may start later than this from now
-- ARGV[3] the longest horizon that any caller may use, in nanoseconds
-- ARGV[4] the fewest parts that are of use, at least 1: fewer are not taken
-- ARGV[5…] one for each key: nanoseconds between two parts, at least 1
--
-- Returns {granted, now, start, interval, retry}:
--   granted  parts that got a slot, 0 to ARGV[1]
--   now      microseconds since 1970 on this clock
--   start    nanoseconds from now to the first slot
--   interval nanoseconds between the slots
--   retry    nanoseconds until enough slots come within the horizon; 0 when granted
--
-- Lua's numbers are doubles, exact to 2^53. Microseconds since 1970 stay below that until 2255; nanoseconds since 1970 would not, so
-- they are only ever counted from now. plan in plan.go is the same arithmetic in Go; a test holds one to the other.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local parts = tonumber(ARGV[1])
local horizon = tonumber(ARGV[2])
local longest = tonumber(ARGV[3])
local least = tonumber(ARGV[4])

local start, interval = 0, 0
for i = 1, #KEYS do
  local own = tonumber(ARGV[4 + i])
  if own > interval then interval = own end
  local value = redis.call('GET', KEYS[i])
  if value then
    local micros, nanos = string.match(value, '^(%d+):(%d+)$')
    if micros then
      local ahead = (micros - now) * 1000 + nanos
      -- Nothing that is alive reaches further than the longest horizon and one part: that slot is of another clock or another rate.
      if ahead > longest + own then ahead = longest + own end
      if ahead > start then start = ahead end
    end
  end
end

local enough = start + (least - 1) * interval
if enough > horizon then
  return {0, now, start, interval, enough - horizon}
end

local granted = math.floor((horizon - start) / interval) + 1
if granted > parts then granted = parts end
local last = start + (granted - 1) * interval
for i = 1, #KEYS do
  local next = last + ARGV[4 + i]
  local micros = math.floor(next / 1000)
  redis.call('SET', KEYS[i], string.format('%.0f:%.0f', now + micros, next - micros * 1000),
    'PX', string.format('%.0f', math.ceil(next / 1000000) + 1000))
end
return {granted, now, start, interval, 0}
