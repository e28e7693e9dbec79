package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"

	"pukar/web/api"
)

// maxInFlight is how many requests one user may have open at a time; imports, exports and watches count.
const maxInFlight = 64

// guard is what every request passes before it reaches an endpoint.
type guard struct {
	log  *slog.Logger
	next http.Handler

	mu       sync.Mutex
	inFlight map[uint32]int
}

func newGuard(log *slog.Logger, next http.Handler) *guard {
	return &guard{log: log, next: next, inFlight: map[uint32]int{}}
}

type requestKey struct{}

// requestID names the request in answers and in the log.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// ServeHTTP checks who calls and how, bounds the caller's share, and keeps a panic of an endpoint from ending the server.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()[:12]
	ctx := context.WithValue(r.Context(), requestKey{}, id)
	r = r.WithContext(ctx)
	w.Header().Set("X-Request-Id", id)
	refuse := func(status int, code, text, mend string) {
		problem := api.NewProblem(status, code, text)
		problem.Mend, problem.RequestID = mend, id
		writeProblem(w, problem)
	}
	if name := forwarded(r.Header); name != "" {
		refuse(http.StatusBadRequest, api.CodeRefused, "header "+name+" is refused: who calls is taken from the socket",
			"call the socket without a proxy in between")
		return
	}
	peer := peerFrom(ctx)
	if !peer.Allowed {
		refuse(http.StatusForbidden, api.CodeRefused, fmt.Sprintf("user %s may not call this server", peer.Name),
			"call as root, as the server's user, or as a member of the group "+Group)
		return
	}
	if !g.enter(peer.UID) {
		w.Header().Set("Retry-After", "1")
		refuse(http.StatusTooManyRequests, api.CodeBusy, fmt.Sprintf("user %s has %d requests open", peer.Name, maxInFlight),
			"wait for one of them to end")
		return
	}
	defer g.leave(peer.UID)
	watched := &watchedWriter{ResponseWriter: w}
	defer g.recover(ctx, watched)
	g.next.ServeHTTP(watched, r)
}

// recover answers a panic as an internal error. http.ErrAbortHandler passes: it is how a stream that broke is cut off.
func (g *guard) recover(ctx context.Context, w *watchedWriter) {
	value := recover()
	if value == nil {
		return
	}
	if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(value)
	}
	g.log.ErrorContext(ctx, "endpoint panicked", "request_id", requestID(ctx), "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
	if w.started {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	problem := api.NewProblem(meansInternal.status, meansInternal.code, "internal error, request "+requestID(ctx))
	problem.Mend, problem.RequestID = meansInternal.mend, requestID(ctx)
	writeProblem(w, problem)
}

func (g *guard) enter(uid uint32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inFlight[uid] >= maxInFlight {
		return false
	}
	g.inFlight[uid]++
	return true
}

func (g *guard) leave(uid uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inFlight[uid]--; g.inFlight[uid] == 0 {
		delete(g.inFlight, uid)
	}
}

// forwarded names the first header by which a proxy speaks for somebody else, or nothing.
func forwarded(header http.Header) string {
	for name := range header {
		if name == "Forwarded" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return name
		}
	}
	return ""
}

// watchedWriter remembers whether an answer was begun.
type watchedWriter struct {
	http.ResponseWriter
	started bool
}

// WriteHeader notes the beginning of the answer.
func (w *watchedWriter) WriteHeader(status int) {
	w.started = true
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the beginning of the answer.
func (w *watchedWriter) Write(b []byte) (int, error) {
	w.started = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
