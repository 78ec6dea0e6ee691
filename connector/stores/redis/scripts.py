"""What is asked of Redis: one script for each operation, each atomic by itself and on the server's clock.

A call is one hash. The records of one kind are hashes beside two indexes, by name and by expiry, and a counter; the
hash tag puts them into one slot of a cluster. Times are microseconds since 1970, which a Lua number holds exactly and
prints only with a format. Servers delete what has expired themselves; a sweep only mends the indexes.

The first write of a script is always one that a full server refuses: after it a script is let finish.
"""

from typing import Final

SCHEMA: Final = "ballast:schema"

FIELDS: Final = ("fingerprint", "state", "epoch", "holder", "attempt", "lease", "begun", "ended", "delivered", "result")

_TIME: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local function text(number) return string.format('%.0f', number) end
local function expire(key, microseconds)
    redis.call('PEXPIRE', key, text(math.max(1, math.ceil(microseconds / 1000))))
end
"""

_CALL: Final = f"""
{_TIME}
local call = KEYS[1]
local function field(name) return redis.call('HGET', call, name) end
local function number(name) return tonumber(field(name)) end
local function entry() return redis.call('HMGET', call, {", ".join(f"'{name}'" for name in FIELDS)}) end
"""

CLAIM: Final = f"""
{_CALL}
local fingerprint, holder = ARGV[1], ARGV[2]
local lease, window, grace = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local takes_over = ARGV[6] == '1'

local function answer(verdict) return {{verdict, text(now), entry()}} end

local function begin(verdict, epoch, attempt, begun)
    redis.call('HSET', call, 'fingerprint', fingerprint, 'state', 'running', 'epoch', text(epoch), 'holder', holder,
        'attempt', text(attempt), 'lease', text(now + lease), 'begun', text(begun), 'delivered', '0',
        'window', text(window))
    redis.call('HDEL', call, 'ended', 'result')
    expire(call, lease + window)
    return answer(verdict)
end

if redis.call('EXISTS', call) == 0 then return begin('claimed', 1, 1, now) end
if field('fingerprint') ~= fingerprint then return answer('mismatch') end
if field('state') == 'running' then
    local attempt = number('attempt')
    if field('holder') == holder then return answer(attempt == 1 and 'claimed' or 'taken over') end
    if number('lease') > now then return answer('in flight') end
    if takes_over then return begin('taken over', number('epoch') + 1, attempt + 1, number('begun')) end
    redis.call('HSET', call, 'state', 'unknown', 'ended', text(now))
    expire(call, window)
    return answer('ended')
end
if grace and field('delivered') == '1' and now - number('ended') > grace then
    return begin('claimed', number('epoch') + 1, 1, now)
end
return answer('ended')
"""

LOOK: Final = f"""
{_CALL}
if redis.call('EXISTS', call) == 0 then return false end
return {{text(now), entry()}}
"""

_MINE: Final = f"""
{_CALL}
if field('epoch') ~= ARGV[1] or field('holder') ~= ARGV[2] then return 0 end
local state = field('state')
"""

RENEW: Final = f"""
{_MINE}
if state ~= 'running' then return 0 end
local lease = tonumber(ARGV[3])
redis.call('HSET', call, 'lease', text(now + lease))
expire(call, lease + number('window'))
return 1
"""

COMPLETE: Final = f"""
{_MINE}
if state == ARGV[3] then return 1 end
if state ~= 'running' and state ~= 'unknown' then return 0 end
redis.call('HSET', call, 'state', ARGV[3], 'ended', text(now), 'delivered', '0')
if ARGV[5] then redis.call('HSET', call, 'result', ARGV[5]) end
expire(call, tonumber(ARGV[4]))
return 1
"""

RELEASE: Final = f"""
{_MINE}
if state ~= 'running' then return 0 end
return redis.call('DEL', call)
"""

DELIVERED: Final = f"""
{_CALL}
if field('epoch') ~= ARGV[1] or field('state') == 'running' then return 0 end
redis.call('HSET', call, 'delivered', '1')
return 1
"""

_RECORD: Final = """
local record, names, ends, versions = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function content(key) return redis.call('HMGET', key, 'value', 'version', 'expires') end
"""

GET: Final = f"""
{_RECORD}
return content(record)
"""

# `writer` is new for every put: a put that finds its own has arrived before, and its answer was lost.
PUT: Final = f"""
{_TIME}
{_RECORD}
local name, value, writer, expires, condition = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local kept = redis.call('HMGET', record, 'version', 'writer')
if kept[2] == writer then return kept[1] end
if condition ~= '' and condition ~= (kept[1] or '0') then return false end
local version = text(redis.call('INCR', versions))
redis.call('HSET', record, 'value', value, 'version', version, 'writer', writer)
redis.call('ZADD', names, 0, name)
if expires then
    redis.call('HSET', record, 'expires', text(now + expires))
    redis.call('ZADD', ends, text(now + expires), name)
    expire(record, expires)
else
    redis.call('HDEL', record, 'expires')
    redis.call('ZREM', ends, name)
    redis.call('PERSIST', record)
end
return version
"""

TAKE: Final = f"""
{_RECORD}
local taken = content(record)
redis.call('DEL', record)
redis.call('ZREM', names, ARGV[1])
redis.call('ZREM', ends, ARGV[1])
return taken
"""

# The records of a page are found by name, so they cannot be declared; they are in the slot of the one that is.
PAGE: Final = f"""
{_RECORD}
local from, to, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local found = {{}}
while #found < limit do
    local batch = redis.call('ZRANGEBYLEX', names, from, to, 'LIMIT', 0, limit - #found)
    if #batch == 0 then break end
    for _, name in ipairs(batch) do
        local kept = content(record .. name)
        if kept[2] then table.insert(found, {{name, kept}}) end
    end
    from = '(' .. batch[#batch]
end
return found
"""

SWEEP: Final = f"""
{_TIME}
{_RECORD}
local swept = 0
for _, name in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', text(now), 'LIMIT', 0, ARGV[1])) do
    if redis.call('EXISTS', record .. name) == 0 then
        redis.call('ZREM', names, name)
        redis.call('ZREM', ends, name)
        swept = swept + 1
    end
end
return swept
"""

CHECK: Final = """
local found = redis.call('GET', KEYS[1])
if found then return found end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
"""
