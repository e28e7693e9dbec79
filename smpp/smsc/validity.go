package smsc

import (
	"errors"
	"time"
)

var errTime = errors.New("not a time of SMPP 3.4, section 7.1.1")

// parseTime reads a validity_period or schedule_delivery_time, absolute ("YYMMDDhhmmsstnn+") or relative
// ("YYMMDDhhmmss000R"), as a duration from now. The empty string is zero. A relative year counts 365 days, a month 30.
func parseTime(s string, now time.Time) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if len(s) != 16 {
		return 0, errTime
	}
	var f [6]int
	for i := range 15 {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, errTime
		}
		if i < 12 {
			f[i/2] = 10*f[i/2] + int(c-'0')
		}
	}
	switch s[15] {
	case 'R':
		days := 365*f[0] + 30*f[1] + f[2]
		return time.Duration(days)*24*time.Hour + time.Duration(f[3])*time.Hour + time.Duration(f[4])*time.Minute +
			time.Duration(f[5])*time.Second, nil
	case '+', '-':
		tenth := time.Duration(s[12]-'0') * 100 * time.Millisecond
		offset := time.Duration(10*int(s[13]-'0')+int(s[14]-'0')) * 15 * time.Minute
		if s[15] == '-' {
			offset = -offset
		}
		at := time.Date(2000+f[0], time.Month(f[1]), f[2], f[3], f[4], f[5], int(tenth), time.UTC).Add(-offset)
		return at.Sub(now), nil
	}
	return 0, errTime
}
