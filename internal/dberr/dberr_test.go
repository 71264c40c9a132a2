package dberr_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
)

// listener accepts connections and does with each what it is told.
func listener(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// Whatever keeps a connection from being made is told in one line, without the
// password.
func TestConnect(t *testing.T) {
	t.Parallel()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	plain := listener(t, func(conn net.Conn) { // as PostgreSQL without TLS answers
		_, _ = conn.Read(make([]byte, 8))
		_, _ = conn.Write([]byte("N"))
		_ = conn.Close()
	})
	silent := listener(t, func(conn net.Conn) { t.Cleanup(func() { _ = conn.Close() }) })
	for _, tt := range []struct{ name, address, options, want string }{
		{"refused", refused, "", "connection refused"},
		{"no such host", "no-such-host.invalid:5432", "", "no-such-host.invalid"},
		{"TLS", plain, "?sslmode=require", "TLS"},
		{"silent", silent, "?sslmode=disable", "context deadline exceeded"},
	} {
		config, err := pgx.ParseConfig("postgres://me:s3cret@" + tt.address + "/db" + tt.options)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err = pgx.ConnectConfig(ctx, config)
		cancel()
		if err == nil {
			t.Errorf("%s: connected", tt.name)
			continue
		}
		got := dberr.Connect(config, err)
		if text := got.Error(); !strings.Contains(text, tt.want) || !strings.Contains(text, `database "db" on `) || strings.Contains(text, "\n") || strings.Contains(text, "s3cret") {
			t.Errorf("%s: %s", tt.name, text)
		}
		if !errors.Is(got, err) {
			t.Errorf("%s: the cause is lost", tt.name)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()

	if got := dberr.Code(fmt.Errorf("x")); got != "" {
		t.Errorf("Code of another error = %q", got)
	}
}
