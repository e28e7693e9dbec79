package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// peer is what Kannel made of the same list, by the same message centre, in the same minute.
type peer struct {
	Version   string  `json:"version"`
	Messages  int64   `json:"messages"`
	Accepted  int64   `json:"accepted"` // by the message centre
	Receipts  int64   `json:"receipts"` // that reached the HTTP sink
	Seconds   float64 `json:"seconds"`  // from the first request to the last receipt
	PerSecond float64 `json:"per_second"`
	CPU       float64 `json:"cpu_us"` // bearerbox and smsbox, for each message
	// Ratio is our messages a second against Kannel's, both with their receipts.
	Ratio float64 `json:"ratio"`
}

const (
	// kannelMost bounds the list that Kannel gets: it keeps nothing on disk here, so its rate does not depend on it.
	kannelMost = 20_000
	// kannelRequests are under way at once, each on a connection of its own.
	kannelRequests = 64
	// kannelPatience ends the wait for receipts when none has come for so long.
	kannelPatience = 10 * time.Second
)

// kannelSettings ask for what we have: one transceiver, the same window, receipts. Where Kannel keeps receipts and
// messages is left as it comes: in memory.
const kannelSettings = `group = core
admin-port = %[1]d
admin-password = bench
smsbox-port = %[2]d
box-allow-ip = "127.0.0.1"
dlr-storage = internal
smsbox-max-pending = %[5]d

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = %[4]s
transceiver-mode = true
smsc-username = kannel
smsc-password = kannel
system-type = ""
source-addr-ton = 5
source-addr-npi = 0
dest-addr-ton = 1
dest-addr-npi = 1
max-pending-submits = %[5]d

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %[3]d

group = sendsms-user
username = bench
password = bench
max-messages = 3
concatenation = true
`

// kannel has Kannel send to the first of the people, if it is installed.
func (s *stage) kannel(ctx context.Context, t *trial, o options, stderr io.Writer) error {
	bearerbox, smsbox := kannelBinary("bearerbox"), kannelBinary("smsbox")
	if bearerbox == "" || smsbox == "" {
		say(stderr, "  Kannel is not installed: `apt-get install kannel` puts it beside")
		return nil
	}
	k := gateway{stage: s, window: o.window}
	p, err := k.run(ctx, bearerbox, smsbox, min(t.People, kannelMost))
	if err = errors.Join(err, k.stop()); err != nil {
		return fmt.Errorf("kannel: %w", err)
	}
	p.Ratio = t.Send.PerSecond / p.PerSecond
	t.Kannel = p
	say(stderr, "  Kannel %s: %s messages/s with receipts; ours are %.1f times as many", p.Version, grouped(int64(p.PerSecond)), p.Ratio)
	if p.Receipts < p.Messages {
		say(stderr, "  Kannel lost %s of %s receipts", grouped(p.Messages-p.Receipts), grouped(p.Messages))
	}
	return nil
}

// kannelBinary finds a program where Debian puts it, which is not in everybody's PATH; "" when it is not there.
func kannelBinary(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path := "/usr/sbin/" + name
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// gateway is a running Kannel: the bearerbox that speaks SMPP, the smsbox that speaks HTTP, and our sink for receipts.
type gateway struct {
	stage              *stage
	window             int
	bearerbox, smsbox  *child
	sink               *http.Server
	sinkAddr, sendsms  string
	receipts, lastSeen atomic.Int64 // lastSeen in Unix nanoseconds
}

func (k *gateway) run(ctx context.Context, bearerbox, smsbox string, messages int64) (*peer, error) {
	if err := k.start(ctx, bearerbox, smsbox); err != nil {
		return nil, err
	}
	before, err := k.stage.counts(ctx)
	if err != nil {
		return nil, err
	}
	begun, busy := time.Now(), k.cpu()
	if err := k.push(ctx, messages); err != nil {
		return nil, err
	}
	if err := k.await(ctx, messages); err != nil {
		return nil, err
	}
	took := time.Unix(0, k.lastSeen.Load()).Sub(begun)
	after, err := k.stage.counts(ctx)
	if err != nil {
		return nil, err
	}
	p := &peer{
		Version: kannelVersion(ctx, bearerbox), Messages: messages, Accepted: after.Accepted - before.Accepted,
		Receipts: k.receipts.Load(), Seconds: took.Seconds(),
		CPU: float64((k.cpu() - busy).Microseconds()) / float64(messages),
	}
	p.PerSecond = float64(p.Receipts) / p.Seconds
	return p, nil
}

// start runs both boxes and waits until Kannel is bound to the message centre.
func (k *gateway) start(ctx context.Context, bearerbox, smsbox string) error {
	addr, err := k.stage.centre.await(ctx, "message centre at ")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	var ports [3]int
	for i := range ports {
		if ports[i], err = freePort(ctx); err != nil {
			return err
		}
	}
	settings := filepath.Join(k.stage.folder, "kannel.conf")
	text := fmt.Sprintf(kannelSettings, ports[0], ports[1], ports[2], port, k.window)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		return err
	}
	if err := k.listen(ctx); err != nil {
		return err
	}
	log := func(name string) string { return filepath.Join(k.stage.folder, name+".log") }
	if k.bearerbox, err = startChild("bearerbox", log("bearerbox"), bearerbox, "-v", "2", settings); err != nil {
		return err
	}
	if err := k.online(ctx, fmt.Sprintf("http://127.0.0.1:%d/status.txt?password=bench", ports[0]), "online"); err != nil {
		return err
	}
	if k.smsbox, err = startChild("smsbox", log("smsbox"), smsbox, "-v", "2", settings); err != nil {
		return err
	}
	k.sendsms = fmt.Sprintf("http://127.0.0.1:%d/cgi-bin/sendsms", ports[2])
	return k.online(ctx, fmt.Sprintf("http://127.0.0.1:%d/status.txt?password=bench", ports[0]), "smsbox")
}

// freePort is a port of the loopback that nobody listened on a moment ago: Kannel does not choose one by itself.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	addr, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("%s is no TCP address", listener.Addr())
	}
	return addr.Port, listener.Close()
}

// listen serves the sink to which Kannel reports what was delivered.
func (k *gateway) listen(ctx context.Context) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	k.sinkAddr = listener.Addr().String()
	k.sink = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		k.lastSeen.Store(time.Now().UnixNano())
		k.receipts.Add(1)
	})}
	go func() { _ = k.sink.Serve(listener) }() // ended by stop
	return nil
}

// online waits until Kannel's own page says the word.
func (k *gateway) online(ctx context.Context, page, word string) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		if text, err := get(ctx, page); err == nil && strings.Contains(text, word) {
			return nil
		}
		if err := k.bearerbox.running(); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("it is not %s: %w\n%s", word, context.Cause(ctx), k.bearerbox.lastWords())
		}
	}
}

func get(ctx context.Context, page string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// push asks for one message to each of the first people, as the sendsms interface takes them.
func (k *gateway) push(ctx context.Context, messages int64) error {
	transport := &http.Transport{MaxIdleConnsPerHost: kannelRequests, MaxConnsPerHost: kannelRequests}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	query := url.Values{
		"username": {"bench"}, "password": {"bench"}, "from": {"HELPLN"}, "dlr-mask": {"3"}, "dlr-url": {"http://" + k.sinkAddr + "/"},
		"text": {"Your ration card from Sitamarhi now works in every state. Free help: 1800-891-2995"},
	}.Encode()
	var next atomic.Int64
	var failed sync.Once
	var group sync.WaitGroup
	var err error
	for range kannelRequests {
		group.Go(func() {
			for i := next.Add(1) - 1; i < messages; i = next.Add(1) - 1 {
				if refused := k.sendOne(ctx, client, query+"&to=91"+strconv.FormatInt(number(i), 10)); refused != nil {
					failed.Do(func() { err = refused })
					next.Store(messages)
					return
				}
			}
		})
	}
	group.Wait()
	return err
}

func (k *gateway) sendOne(ctx context.Context, client *http.Client, query string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.sendsms+"?"+query, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("sendsms: status %d: %s", response.StatusCode, text)
	}
	return nil
}

// await waits for the receipts of all messages, or until none comes any more.
func (k *gateway) await(ctx context.Context, messages int64) error {
	k.lastSeen.CompareAndSwap(0, time.Now().UnixNano())
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for k.receipts.Load() < messages && time.Since(time.Unix(0, k.lastSeen.Load())) < kannelPatience {
		if err := errors.Join(k.bearerbox.running(), k.smsbox.running()); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if k.receipts.Load() == 0 {
		return fmt.Errorf("no receipt came\n%s", k.bearerbox.lastWords())
	}
	return nil
}

// cpu is what both boxes have used.
func (k *gateway) cpu() time.Duration {
	var sum time.Duration
	for _, box := range []*child{k.bearerbox, k.smsbox} {
		if s, err := readStat(box.pid()); err == nil {
			sum += s.own
		}
	}
	return sum
}

// stop ends both boxes, the one that speaks HTTP first, and the sink.
func (k *gateway) stop() error {
	err := errors.Join(k.smsbox.stop(20*time.Second), k.bearerbox.stop(20*time.Second))
	if k.sink != nil {
		err = errors.Join(err, k.sink.Close())
	}
	return err
}

// kannelVersion is how Kannel names itself, "unknown" when it does not.
func kannelVersion(ctx context.Context, bearerbox string) string {
	said, _ := exec.CommandContext(ctx, bearerbox, "--version").CombinedOutput()
	for line := range strings.Lines(string(said)) {
		if _, version, found := strings.Cut(line, "version "); found {
			return strings.Trim(strings.TrimSpace(version), "`'.\"")
		}
	}
	return "unknown"
}
