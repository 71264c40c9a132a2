//go:build !(linux || darwin || freebsd)

package devpg

import (
	"context"
	"errors"
)

func startLocal(context.Context, *Options) (*Server, error) {
	return nil, errors.New("no server to use: cotenant starts none on this operating system (set DATABASE_URL to that of a running PostgreSQL)")
}
