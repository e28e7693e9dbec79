package doctor

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// differences that matter: hours and slots are reckoned on this machine's clock, on PostgreSQL's and on Redis'.
const (
	clockWarning = time.Second
	clockProblem = 5 * time.Second
)

const sqlClock = `SELECT clock_timestamp()`

func examineClock(ctx context.Context, i *installation) []Check {
	checks := []Check{judgeSynchronised(synchronised())}
	if i.database == nil {
		checks = append(checks, unknown("postgresql", "PostgreSQL"))
	} else {
		checks = append(checks, compareClock("postgresql", "PostgreSQL's", func() (at time.Time, err error) {
			err = i.database.QueryRow(ctx, sqlClock).Scan(&at)
			return at, err
		}))
	}
	if i.redis == nil {
		return append(checks, unknown("redis", "Redis"))
	}
	return append(checks, compareClock("redis", "Redis'", func() (time.Time, error) { return i.redis.Time(ctx).Result() }))
}

// compareClock asks twice, since the first exchange may have to connect.
func compareClock(name, whose string, ask func() (time.Time, error)) Check {
	var before, after, there time.Time
	for range 2 {
		var err error
		before = time.Now()
		if there, err = ask(); err != nil {
			return unknown(name, "it")
		}
		after = time.Now()
	}
	return judgeClock(name, whose, there.Sub(before.Add(after.Sub(before)/2)), after.Sub(before))
}

// judgeClock judges by how much a clock is ahead of ours, as far as the time of the exchange lets one tell.
func judgeClock(name, whose string, ahead, exchange time.Duration) Check {
	mend := "run a time service (systemd-timesyncd, chrony) on both machines"
	apart := max(0, ahead.Abs()-exchange/2)
	says := "ahead of"
	if ahead < 0 {
		says = "behind"
	}
	switch {
	case apart > clockProblem:
		return problem(name, mend, "%s clock is %s %s this machine's: windows open at the wrong time, and leases are lost", whose, ahead.Abs().Round(100*time.Millisecond), says)
	case apart > clockWarning:
		return warning(name, mend, "%s clock is %s %s this machine's", whose, ahead.Abs().Round(10*time.Millisecond), says)
	}
	return ok(name, "%s clock is this machine's, to within %s", whose, max(time.Millisecond, (ahead.Abs()+exchange/2).Round(time.Millisecond)))
}

// kernelClock is what the kernel says of the system clock.
type kernelClock struct {
	err          error
	unsynced     bool
	maximumError time.Duration
}

func synchronised() kernelClock {
	var t unix.Timex
	state, err := unix.Adjtimex(&t) // with no mode set it only reads
	return kernelClock{err: err, unsynced: state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0, maximumError: time.Duration(t.Maxerror) * time.Microsecond}
}

func judgeSynchronised(k kernelClock) Check {
	switch {
	case k.err != nil:
		return warning("synchronised", "look at it from outside the container", "the kernel does not say whether its clock is synchronised: %v", k.err)
	case k.unsynced:
		return warning("synchronised", "run a time service (systemd-timesyncd, chrony) on this machine, or on the host of this container", "the kernel says that nothing keeps the system clock right")
	}
	return ok("synchronised", "the system clock is kept right, to within %s", k.maximumError.Round(time.Millisecond))
}
