// Package grpctenant finds the tenant of a gRPC call and puts it into the call's
// context. It shows cotenant with google.golang.org/grpc, tried with 1.85.0; copy it
// and change it to your needs.
//
//	resolve := grpctenant.Authority(tenancy.Registry())
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(grpctenant.Unary(resolve)),
//		grpc.ChainStreamInterceptor(grpctenant.Stream(resolve)),
//	)
//
// What to watch out for:
//
//   - The authority is the host name that the client dialled, or what it gave to
//     grpc.WithAuthority: a client of two tenants has two connections, or sets
//     grpc.CallAuthority at each call. A proxy may write its own there; Envoy does not
//     unless it is told to.
//   - Any client can send any metadata. [Metadata] is for servers whose clients may act
//     for every tenant, or behind a gateway that sets the key at each call and takes out
//     what the client sent. It must be checked against who the caller is otherwise.
//   - Interceptors that find out who the caller is stand in front in the chain, those that
//     use the database behind.
//   - A stream keeps the tenant that it began with. Where that is renamed or dropped
//     meanwhile, its queries fail with tenant.ErrSchemaNotFound.
//   - The tenant does not travel: neither metadata nor authority are passed on to the
//     servers that a handler calls. Send it along as the client did.
package grpctenant
