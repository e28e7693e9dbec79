package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// TestDeliveryWaitsForItsReader writes to somebody who reads slower than a transaction may elsewhere be idle.
func TestDeliveryWaitsForItsReader(t *testing.T) {
	t.Parallel()
	l, _ := everyState()
	config := l.store(t).Config().Copy()
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "100ms"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	var file bytes.Buffer
	m, err := Delivery(t.Context(), pool, writerFunc(func(b []byte) (int, error) {
		select {
		case <-time.After(400 * time.Millisecond):
		case <-t.Context().Done():
			return 0, t.Context().Err()
		}
		return file.Write(b)
	}), Options{Campaign: "onorc-bihar"})
	if err != nil || m.SHA256 == "" || file.Len() == 0 {
		t.Errorf("%+v, %d bytes, %v", m, file.Len(), err)
	}
}
