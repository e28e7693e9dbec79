package audience

import (
	"testing"
	"time"

	"pukar/internal/testenv"
)

func TestLiftOwnLeavesWhatOthersRecorded(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), testenv.DB(t)
	said := time.Now().Add(-time.Hour)
	own := stop(1, ScopeAll, "")
	own.At = said
	listed := own
	listed.Source = SourceImport
	for _, s := range []Suppression{own, listed} { // the list comes later and names the same number
		if added, err := Suppress(ctx, db, []Suppression{s}); err != nil || added != 1 {
			t.Fatalf("%s: %d added, %v", s.Source, added, err)
		}
	}
	if lifted, err := LiftOwn(ctx, db, 1, said.Add(-time.Minute), "start word"); err != nil || lifted != 0 {
		t.Errorf("a start that was said before the stop lifted %d (%v)", lifted, err)
	}
	if lifted, err := LiftOwn(ctx, db, 1, said.Add(time.Minute), "start word"); err != nil || lifted != 1 {
		t.Errorf("a start after the stop lifted %d (%v), want her own", lifted, err)
	}
	left, err := CheckSuppressed(ctx, db, 1)
	if err != nil || len(left) != 1 || left[0].Source != SourceImport {
		t.Errorf("in force are %+v (%v), want what was imported", left, err)
	}
}
