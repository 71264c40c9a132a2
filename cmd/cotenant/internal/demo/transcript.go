package demo

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// request is a line of the transcript.
type request struct {
	comment string
	host    string // before the port
	path    string
	form    url.Values // posted if there is one
	status  int        // that is expected; 200 if it is not said
}

func requests() []request {
	return []request{
		{comment: "each host answers with its own rows", host: "tenant1.localhost", path: "/"},
		{host: "tenant2.localhost", path: "/"},
		{
			comment: "an order at one is no order at the other", host: "tenant1.localhost", path: "/orders",
			form: url.Values{"product": {"2"}, "quantity": {"3"}},
		},
		{host: "tenant1.localhost", path: "/orders"},
		{host: "tenant2.localhost", path: "/orders"},
		{comment: "the public host lists the tenants", host: "localhost", path: "/"},
		{comment: "an unknown host is nobody's", host: "unknown.localhost", path: "/", status: http.StatusNotFound},
	}
}

// transcript sends real requests to the server at addr and prints them with their
// answers, as curl commands that the user can repeat.
func transcript(ctx context.Context, stdout io.Writer, addr, port string) error {
	var dialer net.Dialer
	transport := &http.Transport{
		// Not every resolver knows that names below localhost are this machine.
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, addr)
		},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, r := range requests() {
		if err := r.send(ctx, client, stdout, port); err != nil {
			return err
		}
	}
	return nil
}

func (r request) send(ctx context.Context, client *http.Client, stdout io.Writer, port string) error {
	address := "http://" + net.JoinHostPort(r.host, port) + r.path
	method, data := http.MethodGet, ""
	if r.form != nil {
		method, data = http.MethodPost, "-d '"+r.form.Encode()+"' "
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(r.form.Encode()))
	if err != nil {
		return err
	}
	if r.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.comment != "" {
		fmt.Fprintf(stdout, "\n# %s\n", r.comment)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "$ curl %s%s\n%s\n", data, address, resp.Status)
	for line := range strings.Lines(string(body)) {
		fmt.Fprintf(stdout, "  %s", line)
	}
	if want := cmp.Or(r.status, http.StatusOK); resp.StatusCode != want {
		return fmt.Errorf("%s answered %s, not %d (what it logged is above)", address, resp.Status, want)
	}
	return nil
}
