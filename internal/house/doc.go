// Package house keeps the floors: it has no code, only the test that reads
// every package's imports and fails when one points upwards.
//
// A new package gets its place in the table in house_test.go.
package house
