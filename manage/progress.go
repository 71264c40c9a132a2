package manage

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a run is: as a bar on a terminal, and as a line now and then
// elsewhere. Whatever else is written there goes through it, so that the bar is out of
// the way. It is safe for concurrent use.
type progress struct {
	w        io.Writer
	label    string // of lines: "cotenant: migrate"
	verb     string // of the bar
	terminal bool
	quiet    bool // nothing is shown

	mu     sync.Mutex
	bar    *progressbar.ProgressBar
	begun  time.Time
	drawn  time.Time // when it was last shown
	undone int       // schemas that the bar has not counted yet
	total  int
	worked int
	failed int

	ended  chan struct{}
	ticked sync.WaitGroup
}

// How often progress is shown: by the bar, while schemas are done and while none is; and
// by a line.
const (
	drawEvery = 100 * time.Millisecond
	tickEvery = time.Second
	lineEvery = 10 * time.Second
)

func newProgress(w io.Writer, label, verb string, quiet bool) *progress {
	return &progress{w: w, label: label, verb: verb, quiet: quiet, terminal: takesBar(w)}
}

// takesBar reports whether w is a terminal that can take a line back, and is as wide as the
// bar: in one that is narrower each drawing of it would stay.
func takesBar(w io.Writer) bool {
	const narrowest = 72
	file, ok := w.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return false
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	return err != nil || columns == 0 || columns >= narrowest
}

// start is told how many more schemas there are.
func (p *progress) start(schemas int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += schemas
	if p.quiet {
		return
	}
	if p.terminal && schemas > 0 {
		p.bar = newBar(p.w, p.verb, schemas)
		p.undone = 0
	}
	if p.ended == nil {
		p.begun = time.Now()
		p.drawn = p.begun
		p.ended = make(chan struct{})
		p.ticked.Go(p.tick)
	}
}

// newBar returns a bar that takes no line when it is done.
func newBar(w io.Writer, verb string, schemas int) *progressbar.ProgressBar {
	return progressbar.NewOptions(schemas,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(verb),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("schemas"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionClearOnFinish(),
	)
}

// add counts a schema.
func (p *progress) add(failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.worked++
	p.undone++
	if failed {
		p.failed++
	}
	if p.bar != nil && (failed || p.worked >= p.total || time.Since(p.drawn) >= drawEvery) {
		p.draw()
	}
}

// tick shows progress also while no schema is done.
func (p *progress) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-ticker.C:
		}
		p.mu.Lock()
		switch since := time.Since(p.drawn); {
		case p.bar != nil:
			p.draw()
		case !p.terminal && since >= lineEvery:
			p.drawn = time.Now()
			fmt.Fprintf(p.w, "%s: %s\n", p.label, p.text())
		}
		p.mu.Unlock()
	}
}

// draw brings the bar up to date.
func (p *progress) draw() {
	if p.bar.IsFinished() {
		return
	}
	verb := p.verb
	if p.failed > 0 {
		verb = fmt.Sprintf("%s, %d failed", verb, p.failed)
	}
	p.bar.Describe(verb)
	_ = p.bar.Add(p.undone) // the run goes on when nobody looks
	p.drawn, p.undone = time.Now(), 0
}

// text is a line about how far the run is.
func (p *progress) text() string {
	rate := float64(p.worked) / time.Since(p.begun).Seconds()
	text := fmt.Sprintf("%d of %s, %d failed, %.3g/s", p.worked, schemas(p.total), p.failed, rate)
	if left := p.total - p.worked; left > 0 && p.worked > 0 {
		text += fmt.Sprintf(", about %s left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	return text
}

// Write writes lines where the bar is; the bar comes back below them.
func (p *progress) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	return p.w.Write(lines)
}

// end takes the bar away.
func (p *progress) end() {
	if p.ended != nil {
		close(p.ended)
		p.ticked.Wait()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}
