package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// plainEvery is how often a progress line is written where there is no terminal.
const plainEvery = 2 * time.Second

// progress shows how far something is: a bar on a terminal, a line now and then elsewhere, or nothing.
type progress struct {
	out    io.Writer
	title  string
	total  int64 // 0: not known
	bars   *mpb.Progress
	bar    *mpb.Bar
	last   time.Time
	said   string
	silent bool

	mu   sync.Mutex
	note string // read by the bar's own goroutine
}

func (p *progress) say(note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = note
}

func (p *progress) saying() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.note
}

// newProgress begins a display on out. total is how much there is, 0 where it is not known; silent shows nothing.
func newProgress(out io.Writer, title string, total int64, unit any, silent bool) *progress {
	p := &progress{out: out, title: title, total: total, silent: silent, last: time.Now()}
	if silent || !terminal(out) {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(max(20, width(out)-70)), mpb.WithRefreshRate(150*time.Millisecond))
	end := decor.Percentage(decor.WC{W: 5})
	if unit != nil {
		end = decor.Counters(unit, "% .1f / % .1f", decor.WC{W: 5})
	}
	name := mpb.PrependDecorators(decor.Name(title, decor.WCSyncSpaceR))
	note := decor.Any(func(decor.Statistics) string { return "  " + p.saying() })
	if total == 0 {
		p.bar = p.bars.MustAdd(0, mpb.SpinnerStyle().PositionLeft().Build(), name, mpb.AppendDecorators(note), mpb.BarWidth(3))
		return p
	}
	// A bar that is made with its total ends by itself when it gets there, though there may be more to say; one whose
	// total is set afterwards ends when it is told to.
	p.bar = p.bars.AddBar(0, name, mpb.AppendDecorators(end, note))
	p.bar.SetTotal(total, false)
	return p
}

// at says how far it is, with a few words beside it.
func (p *progress) at(done int64, note string) {
	if p.silent {
		return
	}
	if p.bar != nil {
		p.say(note)
		p.bar.SetCurrent(done)
		return
	}
	p.say(note)
	if time.Since(p.last) < plainEvery {
		return
	}
	p.last = time.Now()
	p.line()
}

// line writes what there is to say, unless it was said.
func (p *progress) line() {
	if note := p.saying(); note != p.said {
		p.said = note
		say(p.out, "%s: %s", p.title, note)
	}
}

// tell writes a line that stays, above the bar where there is one.
func (p *progress) tell(text string) {
	switch {
	case p.silent:
	case p.bars != nil:
		_, _ = fmt.Fprintln(p.bars, p.title+": "+text)
	default:
		say(p.out, "%s: %s", p.title, text)
	}
}

// end closes the display of something that is done: a bar is filled.
func (p *progress) end(note string) {
	p.close(note, func() { p.bar.SetTotal(max(p.total, p.bar.Current()), true) })
}

// stop closes the display of something that ended before it was done: a bar stays where it is.
func (p *progress) stop(note string) {
	p.close(note, func() { p.bar.Abort(false) })
}

func (p *progress) close(note string, complete func()) {
	if p.silent {
		return
	}
	if p.bar != nil {
		p.say(note)
		complete()
		p.bars.Wait()
		return
	}
	if note != "" {
		p.say(note)
		p.line()
	}
}

// drop takes the display away after something went wrong.
func (p *progress) drop() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}

// sizeOf is the length of a file that can be read to its end, or 0.
func sizeOf(file io.Reader) int64 {
	f, ok := file.(*os.File)
	if !ok {
		return 0
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// rate tells how many a second.
func rate(n int64, since time.Time) string {
	seconds := time.Since(since).Seconds()
	if seconds < 0.001 {
		return ""
	}
	return fmt.Sprintf("%s/s", count(int64(float64(n)/seconds)))
}
