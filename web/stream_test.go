package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines records what a stream sets on its connection.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = append(d.read, t); return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = append(d.write, t); return nil }

// TestEveryStepOfAStreamIsBounded holds that neither a stalled upload nor a stalled download lasts: imports and reports keep
// a transaction open as long as they go on.
func TestEveryStepOfAStreamIsBounded(t *testing.T) {
	t.Parallel()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("a file"))
	out := newStream(w, request, "text/csv")
	body := out.body()
	w.read = nil
	piece := make([]byte, 2)
	for n := 1; n <= 3; n++ {
		if _, err := io.ReadFull(body, piece); err != nil {
			t.Fatal(err)
		}
		if len(w.read) != n || !soon(w.read[n-1]) {
			t.Errorf("read %d has the deadlines %v", n, w.read)
		}
		if _, err := out.Write(piece); err != nil {
			t.Fatal(err)
		}
		if len(w.write) != n || !soon(w.write[n-1]) {
			t.Errorf("write %d has the deadlines %v", n, w.write)
		}
	}
	if err := out.line("more"); err != nil || len(w.write) != 4 || !soon(w.write[3]) {
		t.Errorf("a line has the deadlines %v (%v)", w.write, err)
	}
}

func soon(deadline time.Time) bool {
	left := time.Until(deadline)
	return left > 0 && left <= stepTime
}
