package grpctenant_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cotenant/cotenant"
	grpctenant "github.com/cotenant/cotenant/examples/libraries/grpc"
	"github.com/cotenant/cotenant/examples/libraries/grpc/notes"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

// Example serves the notes of two tenants, each at its own host.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// acme.localhost adds note 1
	// acme.localhost adds note 2
	// globex.localhost adds note 1
	// acme.localhost has "paint it blue"
	// acme.localhost has "and red"
	// globex.localhost has "buy nails"
	// unknown.localhost: rpc error: code = NotFound desc = no such tenant
}

// site serves the notes. The contexts of its calls carry the tenant.
type site struct{ db *pgxtenant.DB }

func (s *site) Add(ctx context.Context, text *wrapperspb.StringValue) (*wrapperspb.Int64Value, error) {
	id := new(wrapperspb.Int64Value)
	err := s.db.QueryRow(ctx, "INSERT INTO notes (text) VALUES ($1) RETURNING id", text.GetValue()).Scan(&id.Value)
	if err != nil {
		return nil, status.Error(codes.Internal, "internal error") // the cause is not for the client
	}
	return id, nil
}

func (s *site) List(_ *emptypb.Empty, stream grpc.ServerStreamingServer[wrapperspb.StringValue]) error {
	rows, _ := s.db.Query(stream.Context(), "SELECT text FROM notes ORDER BY id")
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string]) // no connection waits for a slow client
	if err != nil {
		return status.Error(codes.Internal, "internal error")
	}
	for _, text := range texts {
		if err := stream.Send(wrapperspb.String(text)); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context) error {
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{
		DatabaseURL: os.Getenv("DATABASE_URL"),
		TenantApps:  migrate.Dirs(apps, "apps/notes"),
	})
	if err != nil {
		return err
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(ctx); err != nil {
		return err
	}
	for _, name := range []string{"acme", "globex"} {
		_, err := tenancy.Registry().Create(ctx, registry.CreateParams{
			Domains: []tenant.Domain{tenant.MustParseDomain(name + ".localhost")},
			Schema:  tenant.MustParseSchema(name),
		})
		if err != nil {
			return err
		}
	}

	resolve := grpctenant.Authority(tenancy.Registry())
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(grpctenant.Unary(resolve)),
		grpc.ChainStreamInterceptor(grpctenant.Stream(resolve)),
	)
	notes.Register(server, &site{db: tenancy.DB()})
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	defer server.GracefulStop()
	go func() { _ = server.Serve(listener) }() // until GracefulStop
	return call(ctx, listener.Addr().String())
}

// call is a client of several tenants on one connection. A client of one would dial
// its host, acme.localhost, and need no grpc.CallAuthority.
func call(ctx context.Context, address string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	client := &notes.Client{Conn: conn}
	for _, note := range [][2]string{{"acme.localhost", "paint it blue"}, {"acme.localhost", "and red"}, {"globex.localhost", "buy nails"}} {
		id, err := client.Add(ctx, note[1], grpc.CallAuthority(note[0]))
		if err != nil {
			return err
		}
		fmt.Println(note[0], "adds note", id)
	}
	for _, host := range []string{"acme.localhost", "globex.localhost", "unknown.localhost"} {
		stream, err := client.List(ctx, grpc.CallAuthority(host))
		if err != nil {
			return err
		}
		for {
			text, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				fmt.Println(host+":", err)
				break
			}
			fmt.Printf("%s has %q\n", host, text.GetValue())
		}
	}
	return nil
}
