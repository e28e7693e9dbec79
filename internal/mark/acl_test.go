package mark

import (
	"testing"

	"pukar/internal/testenv"
)

// A database account without any privilege but on its own tables can be used.
func TestAnOrdinaryAccountMayLook(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }() // the role, too, is gone then
	for _, sql := range []string{`CREATE ROLE pukar_ordinary NOSUPERUSER`, `GRANT SELECT, INSERT, UPDATE ON home_mark TO pukar_ordinary`, `SET LOCAL ROLE pukar_ordinary`} {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	k := &Keeper{mark: sample()}
	at, next, err := k.look(t.Context(), tx)
	if err != nil || at.System == "" || at.Timeline == 0 || at.LSN == 0 || next == "" {
		t.Errorf("looked at %+v, %q: %v", at, next, err)
	}
}
