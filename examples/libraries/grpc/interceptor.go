package grpctenant

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cotenant/cotenant/tenant"
)

// Unary returns an interceptor that puts the tenant of each unary call into its
// context. The services of gRPC itself, such as health and reflection, are nobody's
// and are called without.
func Unary(resolve Resolver) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx, err := scope(ctx, info.FullMethod, resolve)
		if err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

// Stream does for streams what Unary does for unary calls.
func Stream(resolve Resolver) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		ctx, err := scope(stream.Context(), info.FullMethod, resolve)
		if err != nil {
			return err
		}
		return handler(server, &scopedStream{ServerStream: stream, ctx: ctx})
	}
}

// scopedStream is a stream with the tenant in its context.
type scopedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *scopedStream) Context() context.Context { return s.ctx }

func scope(ctx context.Context, method string, resolve Resolver) (context.Context, error) {
	if strings.HasPrefix(method, "/grpc.") {
		return ctx, nil
	}
	t, err := resolve(ctx)
	if err != nil {
		return nil, refusal(ctx, err)
	}
	return tenant.NewContext(ctx, t), nil
}

// refusal says no more than the client may know.
func refusal(ctx context.Context, err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	switch {
	case errors.Is(err, tenant.ErrTenantNotFound):
		return status.Error(codes.NotFound, "no such tenant")
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	default:
		return status.Error(codes.Unavailable, "the tenant cannot be looked up")
	}
}
