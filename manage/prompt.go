package manage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// prompter asks at a terminal.
type prompter struct {
	ctx      context.Context //nolint:containedctx // of the command that asks
	fd       int
	terminal *term.Terminal
	out      io.Writer
}

// newPrompter returns nil where there is nobody to ask: standard input is no terminal.
func newPrompter(cmd *cobra.Command) *prompter {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	out := cmd.ErrOrStderr() // standard output is for what a command returns
	return &prompter{cmd.Context(), int(in.Fd()), term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, out}, ""), out}
}

// errNoAnswer is Ctrl-C and Ctrl-D at a question.
var errNoAnswer = errors.New("interrupted: nothing was changed")

// ask asks for a line.
func (p *prompter) ask(question string) (string, error) {
	state, err := term.MakeRaw(p.fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(p.fd, state) }()
	p.terminal.SetPrompt(question)
	line, err := p.read(p.terminal.ReadLine)
	return strings.TrimSpace(line), p.answered(err)
}

// secret asks for a line that is not shown, nor trimmed.
func (p *prompter) secret(question string) (string, error) {
	state, err := term.MakeRaw(p.fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(p.fd, state) }()
	line, err := p.read(func() (string, error) { return p.terminal.ReadPassword(question) })
	return line, p.answered(err)
}

// answered is the error of a question.
func (p *prompter) answered(err error) error {
	switch {
	case errors.Is(err, term.ErrPasteIndicator): // the line was pasted
		return nil
	case errors.Is(err, io.EOF):
		fmt.Fprint(p.out, "\r\n")
		return errNoAnswer
	}
	return err
}

// read reads a line, and stops when the context ends: nothing else wakes up who waits for a
// key.
func (p *prompter) read(line func() (string, error)) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		text, err := line()
		read <- result{text, err}
	}()
	select {
	case r := <-read:
		return r.line, r.err
	case <-p.ctx.Done():
		return "", io.EOF
	}
}

// say tells something between two questions.
func (p *prompter) say(format string, args ...any) {
	fmt.Fprintln(p.out, printableText(fmt.Sprintf(format, args...)))
}

// until asks until check takes the answer, and says what is wrong with those that it does
// not take.
func (p *prompter) until(question string, check func(answer string) error) (string, error) {
	for {
		answer, err := p.ask(question)
		if err != nil {
			return "", err
		}
		if err := check(answer); err != nil {
			p.say("  %v", err)
			continue
		}
		return answer, nil
	}
}

// confirm has what is to be lost confirmed by its name, and returns an error if it is not.
// Yes is the answer that a flag gave already.
func confirm(cmd *cobra.Command, yes bool, what, name string) error {
	if yes {
		return nil
	}
	p := newPrompter(cmd)
	if p == nil {
		return usagef("%s: standard input is no terminal, so nobody can be asked (add --yes)", what)
	}
	p.say("%s.", what)
	answer, err := p.ask(fmt.Sprintf("Type %s to confirm: ", name))
	if err != nil {
		return err
	}
	if answer != name {
		return errors.New("not confirmed: nothing was changed")
	}
	return nil
}
