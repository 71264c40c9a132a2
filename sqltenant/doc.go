// Package sqltenant scopes database/sql to the tenant in the context.
package sqltenant
