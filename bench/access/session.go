package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// session is a connection that is spoken to in messages, without pgx.
type session struct {
	frontend *pgproto3.Frontend
	pid      uint32
	conn     net.Conn
}

func (b *bench) newSession(ctx context.Context) (*session, error) {
	conn, err := pgconn.Connect(ctx, b.url)
	if err != nil {
		return nil, err
	}
	hijacked, err := conn.Hijack()
	if err != nil {
		return nil, err
	}
	return &session{frontend: hijacked.Frontend, pid: hijacked.PID, conn: hijacked.Conn}, nil
}

// bind adds messages: a prepared statement gets its parameters, in text.
func (s *session) bind(statement string, parameters ...[]byte) {
	s.frontend.SendBind(&pgproto3.Bind{PreparedStatement: statement, Parameters: parameters})
}

// execute adds messages: a prepared statement is executed.
func (s *session) execute(statement string, parameters ...[]byte) {
	s.bind(statement, parameters...)
	s.frontend.SendExecute(&pgproto3.Execute{})
}

// parse adds a message that prepares a statement; the empty name is a statement too.
func (s *session) parse(name, sql string, parameterTypes ...uint32) {
	s.frontend.SendParse(&pgproto3.Parse{Name: name, Query: sql, ParameterOIDs: parameterTypes})
}

// sync ends the group of messages, sends it, and awaits the answer.
func (s *session) sync() error {
	s.frontend.SendSync(&pgproto3.Sync{})
	return s.await()
}

// simple sends a simple Query and awaits the answer.
func (s *session) simple(sql string) error {
	s.frontend.SendQuery(&pgproto3.Query{String: sql})
	return s.await()
}

// await sends what was added and reads until the server is ready for more.
func (s *session) await() error {
	if err := s.frontend.Flush(); err != nil {
		return err
	}
	var failure error
	for {
		message, err := s.frontend.Receive()
		if err != nil {
			return errors.Join(failure, err)
		}
		switch message := message.(type) {
		case *pgproto3.ErrorResponse:
			failure = pgconn.ErrorResponseToPgError(message)
		case *pgproto3.ReadyForQuery:
			return failure
		}
	}
}

// processorTime is for how many microseconds the server's process has run so far,
// and 0 where the system does not tell.
func (s *session) processorTime() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", s.pid))
	var nanoseconds float64
	if err == nil {
		_, err = fmt.Sscan(string(text), &nanoseconds)
	}
	if err != nil {
		return 0
	}
	return nanoseconds / 1000
}
