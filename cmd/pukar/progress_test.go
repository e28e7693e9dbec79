package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pukar/web/api"
)

// pseudoTerminal gives the two ends of a terminal: what a person sees, and what the program writes to.
func pseudoTerminal(t *testing.T) (screen, program *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return screen, program
}

func TestProgressOnATerminalEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		total int64
		at    int64
		close func(*progress)
		want  string
	}{
		{"done, though nobody said how far it was", 3000, 0, func(p *progress) { p.end("all rows") }, "100 %"},
		{"done", 3000, 3000, func(p *progress) { p.end("all rows") }, "100 %"},
		{"done with more than was expected", 3000, 4000, func(p *progress) { p.end("all rows") }, "all rows"},
		{"ended before it was done", 3000, 1500, func(p *progress) { p.stop("cancelled") }, "50 %"},
		{"of unknown length", 0, 10, func(p *progress) { p.end("all rows") }, "all rows"},
		{"gone wrong", 3000, 10, (*progress).drop, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			screen, program := pseudoTerminal(t)
			seen := make(chan string, 1)
			go func() {
				text, _ := io.ReadAll(screen) // ends with an error when the other end is closed
				seen <- string(text)
			}()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				p := newProgress(program, "import", test.total, nil, false)
				p.at(test.at, "so far")
				test.close(p)
			}()
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Fatal("the display does not end")
			}
			_ = program.Close()
			if text := <-seen; !strings.Contains(text, test.want) {
				t.Errorf("the screen shows %q, want %q in it", text, test.want)
			}
		})
	}
}

func TestAProgressTellsWhatStays(t *testing.T) {
	t.Parallel()
	screen, program := pseudoTerminal(t)
	seen := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(screen)
		seen <- string(text)
	}()
	p := newProgress(program, "first", 10, nil, false)
	p.tell("paused: पाठ गलत है")
	p.stop("4 of 10")
	_ = program.Close()
	if text := <-seen; !strings.Contains(text, "first: paused: पाठ गलत है\r\n") {
		t.Errorf("on a terminal: %q", text)
	}
	var plain strings.Builder
	newProgress(&plain, "first", 10, nil, false).tell("paused: x")
	if plain.String() != "first: paused: x\n" {
		t.Errorf("elsewhere: %q", plain.String())
	}
}

func TestAWatchSaysNoRateOfWhatIsPaused(t *testing.T) {
	t.Parallel()
	s := api.CampaignStatus{State: "running", Run: 1, Recipients: 10, Totals: api.Totals{Pending: 6, Delivered: 4}, RatePerSecond: 8}
	if got, want := watchNote(s), "running: 4 of 10, 4 delivered, 8/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.State = "paused"
	if got, want := watchNote(s), "paused: 4 of 10, 4 delivered"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
