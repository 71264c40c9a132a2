package migrate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// PanicError is a panic of a Go migration or a hook. It fails the schema that was worked
// on, and not the run.
type PanicError struct {
	// Stack is where it happened, as debug.Stack has it.
	Stack []byte
	// Value is what was passed to panic.
	Value any

	at string
}

// Error says what was passed to panic, and in which line of which file.
func (e *PanicError) Error() string { return fmt.Sprintf("panic%s: %v", e.at, e.Value) }

// caught calls a function of the program. A panic in it is its error.
func caught(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Stack: debug.Stack(), Value: value, at: panicked()}
		}
	}()
	return f()
}

// caught does so within a transaction. A run drops the connection after a panic: rows may
// be open on it. Else whoever began the transaction ends it.
func (c changer) caught(ctx context.Context, f func() error) error {
	err := caught(f)
	if c.run != nil && errors.As(err, new(*PanicError)) {
		c.rollback(ctx)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		_ = c.conn.Close(ctx)
	}
	return err
}

// panicked returns where the panic that is being recovered from was: " at shop.go:12".
func panicked() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	thrown := false
	for {
		frame, more := frames.Next()
		switch of := strings.HasPrefix(frame.Function, "runtime."); {
		case of && strings.HasSuffix(frame.Function, "panic"): // gopanic, and sigpanic behind it
			thrown = true
		case thrown && !of:
			return fmt.Sprintf(" at %s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return ""
		}
	}
}
