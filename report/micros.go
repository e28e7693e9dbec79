package report

import "time"

// micros is a time as PostgreSQL sends it: microseconds since 2000-01-01 UTC. 0 stands for none; nothing was sent in that microsecond.
type micros int64

// epoch is where micros count from, in seconds since 1970.
const epoch = 946684800

// kolkata is India's distance from UTC, in microseconds. It has had no other since 1945, so that no table of zones is needed.
const kolkata = 5*hour + 30*minute

const (
	second micros = 1_000_000
	minute        = 60 * second
	hour          = 60 * minute
	day           = 24 * hour
)

// clock writes times in RFC 3339 at +05:30 with milliseconds. It remembers the last day written: a run's times lie close together.
type clock struct {
	day  micros
	date [len("2006-01-02T")]byte
	set  bool
}

// append writes a time, or nothing for none.
func (c *clock) append(b []byte, at micros) []byte {
	if at == 0 {
		return b
	}
	local := at + kolkata
	date := local / day
	if local%day < 0 {
		date--
	}
	if !c.set || date != c.day {
		c.day, c.set = date, true
		time.Unix(epoch+int64(date)*int64(day/second), 0).UTC().AppendFormat(c.date[:0], "2006-01-02T")
	}
	rest := local - date*day
	b = append(b, c.date[:]...)
	b = append(two(b, rest/hour), ':')
	b = append(two(b, rest%hour/minute), ':')
	b = append(two(b, rest%minute/second), '.')
	millis := rest % second / 1000
	b = append(b, byte('0'+millis/100))
	b = two(b, millis%100)
	return append(b, "+05:30"...)
}

func two(b []byte, n micros) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10))
}

// when is the time as Go has it, nil for none.
func (m micros) when() *time.Time {
	if m == 0 {
		return nil
	}
	t := time.UnixMicro(epoch*int64(second) + int64(m))
	return &t
}
