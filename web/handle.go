package web

import (
	"context"
	"net/http"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"pukar/web/api"
)

// Deadlines of requests.
const (
	quick = 30 * time.Second // reads and small changes
	slow  = 20 * time.Minute // counts, plans and freezes over millions of people
)

// maxBody bounds bodies that are read whole: templates, campaigns, JSON.
const maxBody = 1 << 20

// answer is a response with a JSON body.
type answer[T any] struct{ Body T }

// handle registers an endpoint that answers with one JSON document within the deadline.
func handle[I, O any](s *Server, op huma.Operation, deadline time.Duration, serve func(context.Context, *I) (O, error)) {
	s.document(&op)
	op.Middlewares = append(op.Middlewares, within(deadline))
	op.MaxBodyBytes = maxBody
	op.BodyReadTimeout = deadline
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*answer[O], error) {
		body, err := serve(ctx, in)
		if err != nil {
			return nil, problemOf(ctx, s.log, err)
		}
		return &answer[O]{Body: body}, nil
	})
}

// handleStream registers an endpoint that writes its answer bit by bit. What serve returns as an error becomes a
// problem document when nothing was written yet; otherwise the stream itself tells it (see lines.fail), or is cut off.
func handleStream[I any](s *Server, op huma.Operation, contentType string, serve func(context.Context, *I, *stream) error) {
	s.document(&op)
	op.Responses["200"] = &huma.Response{
		Description: op.Summary,
		Content:     map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: "string"}}},
	}
	huma.Register(s.api, op, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			r, w := humago.Unwrap(hctx)
			ctx, cancel := s.untilStopped(r.Context())
			defer cancel()
			out := newStream(w, r, contentType)
			out.finish(serve(ctx, in, out), func(err error) *api.Problem { return problemOf(ctx, s.log, err) })
		}}, nil
	})
}

// untilStopped ends the context of a stream when the server stops.
func (s *Server) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-s.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-done }
}

// within bounds a request: its context, and both directions of its connection.
func within(deadline time.Duration) func(huma.Context, func(huma.Context)) {
	return func(hctx huma.Context, next func(huma.Context)) {
		_, w := humago.Unwrap(hctx)
		end := time.Now().Add(deadline)
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(end.Add(time.Second)) // a recorder in a test has no connection
		_ = control.SetWriteDeadline(end.Add(5 * time.Second))
		ctx, cancel := context.WithDeadline(hctx.Context(), end)
		defer cancel()
		next(huma.WithContext(hctx, ctx))
	}
}

// document adds to an operation what holds for all of them.
func (s *Server) document(op *huma.Operation) {
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	schema := s.api.OpenAPI().Components.Schemas.Schema(typeOf[api.Problem](), true, "Problem")
	op.Responses["default"] = &huma.Response{
		Description: "A problem: what is wrong and how to mend it",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}

// schemaName names a type in the document: by its own name, with that of its package before it unless it is one of web/api.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	pkg := path.Base(t.PkgPath())
	if t.Name() == "" || pkg == "api" || pkg == "web" || pkg == "." || pkg == "time" {
		return name
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + name
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
