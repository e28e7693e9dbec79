package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"pukar/web/api"
)

// stepTime bounds a single read or write of a stream: a peer that neither reads nor writes for so long is gone.
const stepTime = time.Minute

// linesType is the content type of streams of JSON documents, one to a line.
const linesType = "application/x-ndjson"

// stream writes an answer bit by bit. Its methods may be called from several goroutines.
type stream struct {
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	kind    string
	upload  bool // the request has a body

	mu    sync.Mutex
	begun bool
}

func newStream(w http.ResponseWriter, r *http.Request, contentType string) *stream {
	s := &stream{w: w, r: r, control: http.NewResponseController(w), kind: contentType, upload: r.ContentLength != 0}
	if s.upload {
		// An import answers while it reads. What is left of its request may not be taken for the beginning of the next,
		// hence the connection ends with it.
		_ = s.control.EnableFullDuplex()
		w.Header().Set("Connection", "close")
	}
	_ = s.control.SetReadDeadline(time.Time{})
	return s
}

// Write writes a piece of the answer.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin()
	return s.w.Write(p)
}

// line writes one JSON document and sends it off.
func (s *stream) line(v any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin()
	encoder := json.NewEncoder(s.w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	return s.control.Flush()
}

// begin needs the lock.
func (s *stream) begin() {
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", s.kind)
		s.w.WriteHeader(http.StatusOK)
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(stepTime))
}

// announce names a trailer before anything is written.
func (s *stream) announce(name string) { s.w.Header().Add("Trailer", name) }

// trail sets a trailer after everything is written.
func (s *stream) trail(name, value string) { s.w.Header().Set(name, value) }

// finish ends the answer. An error before the first byte is a problem document; after it, a stream of lines ends with
// a line {"problem": …}, and any other is cut off so that it cannot be taken for whole.
func (s *stream) finish(err error, problem func(error) *api.Problem) {
	defer s.drain()
	if err == nil {
		s.mu.Lock()
		s.begin()
		s.mu.Unlock()
		return
	}
	told := problem(err)
	switch {
	case !s.begun:
		s.w.Header().Del("Trailer")
		writeProblem(s.w, told)
	case s.kind == linesType:
		_ = s.line(struct {
			Problem *api.Problem `json:"problem"`
		}{told})
	default:
		panic(http.ErrAbortHandler)
	}
}

// uploadDrain bounds the reading of what a refused upload still sends.
const uploadDrain = 5 * time.Minute

// drain reads the rest of an upload that was refused: whoever sends it may not look for the answer before all is sent. One
// who does look hangs up, which ends this.
func (s *stream) drain() {
	if !s.upload {
		return
	}
	_ = s.control.Flush()
	rest := s.body()
	piece := make([]byte, 64<<10)
	for end := time.Now().Add(uploadDrain); time.Now().Before(end); {
		if _, err := rest.Read(piece); err != nil {
			return
		}
	}
}

// body reads the request, each step bounded.
func (s *stream) body() io.Reader { return &steppedReader{from: s.r.Body, control: s.control} }

// steppedReader gives each read its own deadline.
type steppedReader struct {
	from    io.Reader
	control *http.ResponseController
}

// Read reads what there is, waiting for it at most stepTime.
func (r *steppedReader) Read(p []byte) (int, error) {
	_ = r.control.SetReadDeadline(time.Now().Add(stepTime))
	n, err := r.from.Read(p)
	if err != nil {
		_ = r.control.SetReadDeadline(time.Time{}) // the server listens for the peer's going away from here on
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = &brokenUpload{err}
	}
	return n, err
}

// brokenUpload is a request whose body did not arrive in full. Its cause is hidden from errors.As, which would take it for
// the database's.
type brokenUpload struct{ cause error }

func (e *brokenUpload) Error() string { return "the file did not arrive in full: " + e.cause.Error() }
