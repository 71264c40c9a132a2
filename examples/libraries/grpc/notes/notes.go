// Package notes is a gRPC service with notes. It stands for what protoc-gen-go-grpc
// makes of a .proto file; its messages are protobuf's well-known ones.
//
//	service Notes {
//	  rpc Add(google.protobuf.StringValue) returns (google.protobuf.Int64Value);
//	  rpc List(google.protobuf.Empty) returns (stream google.protobuf.StringValue);
//	}
package notes

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	service    = "notes.Notes"
	addMethod  = "/" + service + "/Add"
	listMethod = "/" + service + "/List"
)

// Server is what serves the service.
type Server interface {
	// Add adds a note and returns its id.
	Add(ctx context.Context, text *wrapperspb.StringValue) (*wrapperspb.Int64Value, error)
	// List sends all notes.
	List(request *emptypb.Empty, stream grpc.ServerStreamingServer[wrapperspb.StringValue]) error
}

// Register adds the service to a gRPC server.
func Register(registrar grpc.ServiceRegistrar, server Server) {
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*Server)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Add", Handler: add}},
		Streams:     []grpc.StreamDesc{{StreamName: "List", Handler: list, ServerStreams: true}},
	}, server)
}

func add(server any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // grpc.MethodDesc's order
	text := new(wrapperspb.StringValue)
	if err := decode(text); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, request any) (any, error) {
		return server.(Server).Add(ctx, request.(*wrapperspb.StringValue))
	}
	if interceptor == nil {
		return handler(ctx, text)
	}
	return interceptor(ctx, text, &grpc.UnaryServerInfo{Server: server, FullMethod: addMethod}, handler)
}

func list(server any, stream grpc.ServerStream) error {
	request := new(emptypb.Empty)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	return server.(Server).List(request, &grpc.GenericServerStream[emptypb.Empty, wrapperspb.StringValue]{ServerStream: stream})
}

// Client calls the service.
type Client struct{ Conn grpc.ClientConnInterface }

// Add adds a note and returns its id.
func (c *Client) Add(ctx context.Context, text string, options ...grpc.CallOption) (int64, error) {
	id := new(wrapperspb.Int64Value)
	err := c.Conn.Invoke(ctx, addMethod, wrapperspb.String(text), id, options...)
	return id.GetValue(), err
}

// List returns a stream of all notes.
func (c *Client) List(ctx context.Context, options ...grpc.CallOption) (grpc.ServerStreamingClient[wrapperspb.StringValue], error) {
	stream, err := c.Conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, listMethod, options...)
	if err != nil {
		return nil, err
	}
	client := &grpc.GenericClientStream[emptypb.Empty, wrapperspb.StringValue]{ClientStream: stream}
	if err := client.SendMsg(&emptypb.Empty{}); err != nil {
		return nil, err
	}
	return client, client.CloseSend()
}
