package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"pukar/web/api"
)

// ErrNoServer says that nobody answers on the socket.
var ErrNoServer = errors.New("no pukar server")

// maxAddress is the longest path that fits a unix socket's address.
const maxAddress = 107

// Client calls one server. It may be used by any number of goroutines.
type Client struct {
	socket string
	http   *http.Client
}

// New makes a client of the server on the unix socket at path. It connects with the first call.
func New(path string) *Client {
	c := &Client{socket: path}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
		// Nothing is gained by compressing on one machine.
		DisableCompression: true,
		MaxIdleConns:       4,
		IdleConnTimeout:    30 * time.Second,
	}}
	return c
}

// Close gives up idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Socket is the path that the client connects to.
func (c *Client) Socket() string { return c.socket }

// dial connects; a path too long for an address is reached through its open folder.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	if len(c.socket) <= maxAddress {
		return dialer.DialContext(ctx, "unix", c.socket)
	}
	folder, err := os.Open(filepath.Dir(c.socket))
	if err != nil {
		return nil, err
	}
	defer func() { _ = folder.Close() }()
	return dialer.DialContext(ctx, "unix", filepath.Join("/proc/self/fd", strconv.Itoa(int(folder.Fd())), filepath.Base(c.socket)))
}

// request is one call: what it asks for and what it carries.
type request struct {
	method string
	path   string
	query  url.Values
	kind   string // content type of the body
	body   io.Reader
}

// send makes a call and gives the answer when it is good; whoever calls closes its body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	address := "http://pukar" + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, r.body)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", r.path, err)
	}
	if r.kind != "" {
		req.Header.Set("Content-Type", r.kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, problemOf(resp)
}

// explain tells a missing server from other failures of the connection.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w at %s: start one with `pukar serve`, or set PUKAR_HOME", ErrNoServer, c.socket)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w that this user may call at %s: call as root, as the server's user, or as a member of the group pukar", ErrNoServer, c.socket)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return fmt.Errorf("call the server at %s: %w", c.socket, wrapped.Err)
	}
	return err
}

// problemOf reads what the server says is wrong.
func problemOf(resp *http.Response) error {
	problem := &api.Problem{}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if json.Unmarshal(body, problem) != nil || problem.Status == 0 {
		problem = api.NewProblem(resp.StatusCode, "", strings.TrimSpace(string(body)))
	}
	if problem.Code == "" && (resp.StatusCode == http.StatusUnprocessableEntity || resp.StatusCode == http.StatusBadRequest) {
		problem.Code = api.CodeInvalid // found by the description of the request
	}
	return problem
}

// call makes a call with a JSON body, or none when in is nil, and reads the JSON answer into out.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	r := request{method: method, path: path, query: query}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("request %s: %w", path, err)
		}
		r.kind, r.body = "application/json", bytes.NewReader(body)
	}
	return c.read(ctx, r, out)
}

// upload makes a call whose body is a file that a person wrote.
func (c *Client) upload(ctx context.Context, method, path string, query url.Values, source []byte, out any) error {
	return c.read(ctx, request{method: method, path: path, query: query, kind: "application/yaml", body: bytes.NewReader(source)}, out)
}

func (c *Client) read(ctx context.Context, r request, out any) error {
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("answer of %s: %w", r.path, err)
	}
	return nil
}

// seg makes a name safe as a segment of a path.
func seg(name string) string { return url.PathEscape(name) }

// Health asks whether the server answers.
func (c *Client) Health(ctx context.Context) (api.Health, error) {
	var out api.Health
	return out, c.call(ctx, http.MethodGet, "/v1/health", nil, nil, &out)
}
