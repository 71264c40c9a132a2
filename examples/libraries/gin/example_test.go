package gin_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
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
	// GET 127.0.0.1/healthz: 200 well
	// POST acme.localhost/notes: 201 /notes/1
	// POST acme.localhost/notes: 201 /notes/2
	// POST globex.localhost/notes: 201 /notes/1
	// GET acme.localhost/notes/1: 200 paint it blue
	// GET globex.localhost/notes/1: 200 buy nails
	// GET globex.localhost/notes/2: 404 no such note
	// GET unknown.localhost/notes/1: 404 Not Found
}

// routes are the pages of the application. Those of the group are a tenant's.
func routes(tenancy *cotenant.Tenancy) http.Handler {
	notes := &notes{db: tenancy.DB()}
	engine := gin.New()
	engine.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "well") })
	group := engine.Group("/notes", wrap(tenancy.Middleware(nil)))
	group.POST("", notes.add)
	group.GET("/:id", notes.show)
	return engine
}

// wrap makes gin's middleware of any middleware for net/http.
func wrap(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed = true
			c.Request = r // with the tenant in its context
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Abort() // it has answered; gin would go on
		}
	}
}

type notes struct{ db *pgxtenant.DB }

func (n *notes) add(c *gin.Context) {
	ctx := c.Request.Context() // carries the tenant, so this is a note of its own; c does not
	var id int64
	err := n.db.QueryRow(ctx, "INSERT INTO notes (text) VALUES ($1) RETURNING id", c.PostForm("text")).Scan(&id)
	if err != nil {
		c.String(http.StatusInternalServerError, "internal error")
		return
	}
	c.String(http.StatusCreated, "/notes/%d", id)
}

func (n *notes) show(c *gin.Context) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		c.String(http.StatusNotFound, "no such note")
		return
	}
	var text string
	err = n.db.QueryRow(c.Request.Context(), "SELECT text FROM notes WHERE id = $1", id).Scan(&text)
	switch {
	case err == nil:
		c.String(http.StatusOK, "%s", text)
	case errors.Is(err, pgx.ErrNoRows):
		c.String(http.StatusNotFound, "no such note")
	default:
		c.String(http.StatusInternalServerError, "internal error")
	}
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

	server := httptest.NewServer(routes(tenancy))
	defer server.Close()
	return errors.Join(
		call(server, "127.0.0.1", "GET /healthz", ""),
		call(server, "acme.localhost", "POST /notes", "paint it blue"),
		call(server, "acme.localhost", "POST /notes", "and red"),
		call(server, "globex.localhost", "POST /notes", "buy nails"),
		call(server, "acme.localhost", "GET /notes/1", ""),
		call(server, "globex.localhost", "GET /notes/1", ""),
		call(server, "globex.localhost", "GET /notes/2", ""),
		call(server, "unknown.localhost", "GET /notes/1", ""),
	)
}

// call sends a request to the host, as a browser would, and prints the answer.
func call(server *httptest.Server, host, request, text string) error {
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequest(method, server.URL+path, strings.NewReader(url.Values{"text": {text}}.Encode()))
	if err != nil {
		return err
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := server.Client().Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(method, host+path+":", response.StatusCode, strings.TrimSpace(string(body)))
	return err
}
