package web

import (
	"net/http"
	"time"

	"pukar/internal/metrics"
)

// timed tells the metrics how long every request took, by the pattern of its endpoint: never by its path, which may name a
// campaign or a number.
func timed(counted *metrics.Metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		next.ServeHTTP(w, r)
		counted.Answered(r.Pattern, time.Since(began)) // the mux has written the pattern into the request
	})
}
