package worker

import (
	"testing"
	"testing/synctest"
	"time"

	"pukar/internal/notice"
)

func TestHaltsGiveUpWhatWasOpenedBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHalts()
		h.Deaf(false)
		tick := func() time.Time { <-time.After(time.Millisecond); return time.Now() }
		first := tick()
		for _, run := range []int32{1, 2} {
			if h.Refuses(run, first, false) {
				t.Errorf("run %d is halted before anything was", run)
			}
		}
		tick()
		h.Hear(notice.Notice{Run: 1}, nil)
		if !h.Refuses(1, first, false) || h.Refuses(2, first, false) {
			t.Error("a halt of run 1 is for run 1")
		}
		second := tick()
		if h.Refuses(1, second, false) {
			t.Error("what was opened after a halt was allowed by the database")
		}
		tick()
		h.Hear(notice.Notice{Everything: true}, nil)
		if !h.Refuses(1, second, false) || !h.Refuses(2, second, false) || !h.Refuses(3, first, false) {
			t.Error("a halt of everything is for every run")
		}
		third := tick()
		h.Hear(notice.Notice{Run: 2}, nil)
		if h.Refuses(1, third, false) || h.Refuses(2, tick(), false) || !h.Refuses(2, third, false) {
			t.Error("an older halt of everything counts no more, a younger one of a run does")
		}
		<-time.After(haltsKept + time.Second)
		h.Run(9)
		if len(h.runs) != 1 {
			t.Errorf("%d runs are remembered, want the last", len(h.runs))
		}
	})
}

func TestWhoIsDeafTrustsNothingForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHalts()
		opened := time.Now()
		if h.Refuses(1, opened, false) {
			t.Error("a fresh stride is refused")
		}
		<-time.After(deafTime + time.Millisecond)
		if !h.Refuses(1, opened, false) {
			t.Error("a stride is written on although nobody could have told that it was stopped")
		}
		fresh := time.Now()
		<-time.After(time.Millisecond)
		h.Deaf(false)
		if !h.Refuses(1, fresh, false) {
			t.Error("what was opened while nothing was heard is trusted afterwards")
		}
		<-time.After(time.Millisecond)
		later := time.Now()
		<-time.After(time.Minute)
		if h.Refuses(1, later, false) {
			t.Error("a slow stride is refused although halts are heard")
		}
	})
}

func TestHeardStopsHold(t *testing.T) {
	t.Parallel()
	h, stops := NewHalts(), NewStops()
	h.Hear(notice.Notice{Stops: []notice.Stop{{Key: 7, Purpose: "camps"}}}, stops)
	if !stops.Has(7, "camps", time.Now()) || stops.Has(7, "rations", time.Now()) {
		t.Error("a stop that another process took is to hold for its purpose")
	}
}

func TestAMessageThatIsHalfOutMayBeFinished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHalts()
		h.Deaf(false)
		<-time.After(time.Millisecond)
		opened := time.Now()
		<-time.After(time.Millisecond)
		h.Run(1)
		if !h.Refuses(1, opened, false) || h.Refuses(1, opened, true) {
			t.Error("no message is begun after a halt, and one that is half out is finished")
		}
		<-time.After(finishTime + time.Millisecond)
		if !h.Refuses(1, opened, true) {
			t.Error("a message is still being finished long after the halt")
		}
	})
}
