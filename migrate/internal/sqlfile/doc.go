// Package sqlfile reads the SQL files of an app as far as it takes to run them a
// statement at a time.
package sqlfile
