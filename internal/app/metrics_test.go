package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pukar/internal/config"
	"pukar/smpp/smsc"
)

func TestMetricsSayWhatARunDid(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, smsc.Options{ReceiptDelay: 200 * time.Millisecond}, func(c *config.Config) { c.MetricsAddr = addr })
	b.run()
	const people = 300
	b.people(people)
	b.launch("evening-round")
	b.done("evening-round")
	stats := b.centre.Stats()
	var text string
	value := func(sample string) float64 {
		match := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(sample) + " (.*)$").FindStringSubmatch(text)
		if match == nil {
			return -1
		}
		n, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// What came in is counted after it is stored.
	b.eventually("the receipts to be counted", func() bool {
		text = scrape(t, http.DefaultClient, "http://"+addr+"/metrics")
		return value(`pukar_receipts_total{route="main",state="delivered"}`) == float64(stats.Accepted)
	})
	for sample, want := range map[string]float64{
		`pukar_parts_total{bind="main-1",result="accepted",route="main"}`: float64(stats.Accepted),
		`pukar_submit_seconds_count{route="main"}`:                        float64(stats.Accepted),
		`pukar_receipt_delay_seconds_count{route="main"}`:                 float64(stats.Accepted),
		`pukar_bind_state{bind="main-1",route="main",state="bound"}`:      1,
		`pukar_window_size{bind="main-1",route="main"}`:                   100,
		`pukar_strides_open{route="main"}`:                                0,
		`pukar_leader{role="sweeper"}`:                                    1,
		`pukar_database_up`:                                               1,
		`pukar_redis_up`:                                                  1,
		`pukar_parked_receipts{state="waiting"}`:                          0,
	} {
		if got := value(sample); got != want {
			t.Errorf("%s is %v, want %v", sample, got, want)
		}
	}
	if value(`pukar_throttle_wait_seconds_count{route="main"}`) < 1 || value(`pukar_disk_free_bytes{folder="home"}`) < 1 {
		t.Error("nothing was waited for, or the disk has no room")
	}
	// Labels hold nothing that names a campaign, a person or a text.
	if match := regexp.MustCompile(`evening-round|91[0-9]{10}|Asha|onorc`).FindString(text); match != "" {
		t.Errorf("a scrape holds %q", match)
	}
	overSocket := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", b.app.Socket)
	}}}
	defer overSocket.CloseIdleConnections()
	defer http.DefaultClient.CloseIdleConnections()
	if same := scrape(t, overSocket, "http://pukar/metrics"); !strings.Contains(same, fmt.Sprintf(`result="accepted",route="main"} %d`, stats.Accepted)) {
		t.Error("the socket gives other metrics than the port")
	}
}

func scrape(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, answer.Status, err)
	}
	return string(text)
}
