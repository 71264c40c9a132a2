package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/examples/shop"
	"github.com/cotenant/cotenant/internal/devpg"
)

type options struct {
	addr      string
	addrGiven bool
	keep      bool
	once      bool
}

// run is the demo. What it starts it stops, in reverse order.
func run(ctx context.Context, stdout, stderr io.Writer, o options) (err error) {
	logger := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))

	// The address comes first: if it is taken, nothing was done for nothing.
	listener, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer listener.Close()

	database, err := o.startDatabase(ctx, stdout, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Stop()) }()
	fmt.Fprintf(stdout, "%s\n", database.Source())

	tenancy, err := cotenant.Open(ctx, shop.Config(database.URL(), logger))
	if err != nil {
		return err
	}
	defer tenancy.Close()
	if err := checkOurs(ctx, tenancy); err != nil {
		return err
	}
	if err := tenancy.Migrate(ctx); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return err
	}
	if err := createTenants(ctx, stdout, tenancy, port); err != nil {
		return err
	}

	server := &http.Server{Handler: shop.Handler(tenancy, logger), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() { err = errors.Join(err, shutdown(server, served)) }()

	if err := transcript(ctx, stdout, listener.Addr().String(), port); err != nil || o.once {
		return err
	}
	fmt.Fprintf(stdout, "\nServing http://tenant1.localhost:%[1]s, http://tenant2.localhost:%[1]s and http://localhost:%[1]s until interrupted (Ctrl-C).\n", port)
	select {
	case <-ctx.Done():
		fmt.Fprintln(stdout, "\nStopping.")
		return nil
	case err := <-served:
		served <- err
		return err
	}
}

// listen takes the address. A transcript alone needs no particular one.
func (o *options) listen(ctx context.Context) (net.Listener, error) {
	if o.once && !o.addrGiven {
		o.addr = "localhost:0"
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", o.addr)
	if err != nil {
		return nil, fmt.Errorf("%w (choose another address with --addr)", err)
	}
	return listener, nil
}

func (o *options) startDatabase(ctx context.Context, stdout, stderr io.Writer) (*devpg.Server, error) {
	// A download takes a while, so it is worth a line.
	opts := &devpg.Options{Logger: slog.New(slog.NewTextHandler(stderr, nil))}
	if o.keep {
		dir, err := devpg.KeptDir("demo")
		if err != nil {
			return nil, err
		}
		opts.Dir = dir
		fmt.Fprintf(stdout, "the data is kept in %s (remove it to begin anew)\n", dir)
	}
	return devpg.Start(ctx, opts)
}

// shutdown ends the server, giving requests under way a moment.
func shutdown(server *http.Server, served <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close() // requests that outlast the moment are cut
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
