package audience

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// slowReader gives a piece a read, and dawdles before each but the first.
type slowReader struct {
	t      *testing.T
	pieces []string
	begun  bool
}

func (r *slowReader) Read(p []byte) (int, error) {
	if len(r.pieces) == 0 {
		return 0, io.EOF
	}
	if r.begun {
		select {
		case <-time.After(400 * time.Millisecond):
		case <-r.t.Context().Done():
			return 0, r.t.Context().Err()
		}
	}
	r.begun = true
	n := copy(p, r.pieces[0])
	r.pieces = r.pieces[1:]
	return n, nil
}

// TestImportWaitsForItsFile reads a file that arrives slower than a transaction may elsewhere be idle.
func TestImportWaitsForItsFile(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	config := b.pool.Config().Copy()
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "100ms"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	file := &slowReader{t: t, pieces: []string{"msisdn,name\n9812345601,Asha\n", "9812345602,Bela\n", "9812345603,Chanda\n"}}
	res, err := Import(t.Context(), pool, b.key, file, ImportOptions{Source: "test", Now: importDay, chunk: 1})
	if err != nil || res.Inserted != 3 {
		t.Errorf("%+v, %v", res, err)
	}
	var setting string
	if err := pool.QueryRow(t.Context(), `SHOW idle_in_transaction_session_timeout`).Scan(&setting); err != nil || strings.TrimSpace(setting) != "100ms" {
		t.Errorf("afterwards the session may be idle for %q (%v), want 100ms", setting, err)
	}
}
