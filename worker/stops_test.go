package worker

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewStops()
		if s.Has(1, "camps", time.Now()) {
			t.Error("somebody is held back before anybody said stop")
		}
		ahead := time.Now()
		s.Add(1, "")
		s.Add(2, "camps")
		for _, test := range []struct {
			key     int64
			purpose string
			want    bool
		}{{1, "camps", true}, {1, "rations", true}, {2, "camps", true}, {2, "rations", false}, {3, "camps", false}} {
			if got := s.Has(test.key, test.purpose, time.Now()); got != test.want {
				t.Errorf("%d held back from %s: %v, want %v", test.key, test.purpose, got, test.want)
			}
		}
		<-time.After(stopsHeld)
		if !s.Has(1, "camps", time.Now()) {
			t.Error("a stop was forgotten before its time")
		}
		s.Add(1, "") // said again
		<-time.After(time.Second)
		if !s.Has(1, "camps", time.Now()) || s.Has(2, "camps", time.Now()) {
			t.Error("a stop is held from when it was last said, and no longer")
		}
		<-time.After(stopsKept - 2*time.Second)
		if !s.Has(1, "camps", ahead) || s.Has(1, "camps", time.Now()) {
			t.Error("a stop holds for what was written ahead of it, and the database for what is opened after it")
		}
		<-time.After(2 * time.Second)
		s.Add(3, "")
		if s.Has(1, "camps", ahead) || len(s.since) != 1 {
			t.Errorf("%d stops are kept, want the last one", len(s.since))
		}
	})
}
