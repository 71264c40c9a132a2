package manage

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
)

// prove connects as the program will, and looks whether it gets to the schema: a pooler can
// drop the options without a word. Of several hosts the program is given the one that was
// reached.
func (e *environment) prove(ctx context.Context) error {
	conn, err := e.connect(ctx)
	if err != nil {
		return fmt.Errorf("schema %q: %w", e.schema, err)
	}
	defer conn.Close(ctx)
	var current *string
	if err := conn.QueryRow(ctx, "SELECT pg_catalog.current_schema()", pgx.QueryExecModeSimpleProtocol).Scan(&current); err != nil {
		return fmt.Errorf("schema %q: %w", e.schema, err)
	}
	if current == nil || *current != e.schema.String() {
		return fmt.Errorf("schema %q: a program would not get there by PGOPTIONS (is the schema there? does a pooler drop the options? set direct_url to the server itself)", e.schema)
	}
	return nil
}

// connect connects to the first of the hosts that can be, and keeps which it was. Pgx would
// try them in the same order, but does not tell.
func (e *environment) connect(ctx context.Context) (conn *pgx.Conn, err error) {
	accept := []pgconn.ValidateConnectFunc{e.config.ValidateConnect}
	if cmp.Or(e.given["target_session_attrs"], os.Getenv("PGTARGETSESSIONATTRS")) == "prefer-standby" { // of all the hosts
		accept = []pgconn.ValidateConnectFunc{pgconn.ValidateConnectTargetSessionAttrsStandby, nil}
	}
	for _, validate := range accept {
		for _, config := range oneHost(e.config) {
			config.ValidateConnect = validate
			config.RuntimeParams = map[string]string{"options": e.options}
			if conn, err = pgx.ConnectConfig(ctx, config); err == nil {
				e.host, e.port = config.Host, config.Port
				return conn, nil
			}
			err = dberr.Connect(config, err)
		}
	}
	return nil, err
}

// oneHost returns a config for each of the hosts, which are tried with TLS and without as
// they would be.
func oneHost(config *pgx.ConnConfig) (all []*pgx.ConnConfig) {
	ways := slices.Insert(slices.Clone(config.Fallbacks), 0, &pgconn.FallbackConfig{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig})
	for _, way := range ways {
		if last := len(all) - 1; last >= 0 && all[last].Host == way.Host && all[last].Port == way.Port {
			all[last].Fallbacks = append(all[last].Fallbacks, way)
			continue
		}
		one := config.Copy()
		one.Host, one.Port, one.TLSConfig, one.Fallbacks = way.Host, way.Port, way.TLSConfig, nil
		all = append(all, one)
	}
	return all
}
