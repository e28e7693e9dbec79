package smsc

import (
	"encoding/json"
	"errors"
	"net/http"
)

// StatsHandler serves GET /stats, the Stats as JSON, and POST /mo, which has a handset send a message: a JSON object with
// "from", "to" and "text", answered 204 when a client has acknowledged it, 409 while no receiver is bound, 400 for a
// message that cannot be sent, 502 where it was refused or not acknowledged in time.
func (c *Centre) StatsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if err := enc.Encode(c.Stats()); err != nil {
			c.log.Debug("write stats", "err", err)
		}
	})
	mux.HandleFunc("POST /mo", func(w http.ResponseWriter, r *http.Request) {
		var m struct{ From, To, Text string }
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&m); err != nil {
			http.Error(w, `want {"from": "91…", "to": "…", "text": "…"}: `+err.Error(), http.StatusBadRequest)
			return
		}
		err := c.Inject(m.From, m.To, m.Text)
		switch {
		case err == nil:
			w.WriteHeader(http.StatusNoContent)
		case errors.Is(err, ErrNoReceiver):
			http.Error(w, err.Error(), http.StatusConflict)
		case errors.Is(err, ErrUnsendable):
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	return mux
}
