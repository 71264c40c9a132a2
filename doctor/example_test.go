package doctor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cotenant/cotenant/doctor"
)

// A database whose tenant "globex" has lost its schema.
func ExampleExamine() {
	ctx := context.Background()
	tenancy := exampleTenancy(ctx) // of cotenant.Open
	defer tenancy.Close()

	report, err := doctor.Examine(ctx, &doctor.Config{
		Connect: tenancy.Connect, DB: tenancy.DB(), Fleet: tenancy.Fleet(), MaxConns: tenancy.MaxConns(),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Severity == doctor.Error {
			fmt.Println(f.String())
			fmt.Println("cure:", f.Cure)
		}
	}
	// Output:
	// tenant-without-schema: 1 tenant: there is a row, and no schema (schema "globex")
	// cure: restore the schema from a backup; or have it made anew, with nothing in it: tenant create-missing; or delete the tenant
}
