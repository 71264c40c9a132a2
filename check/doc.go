// Package check tells what is wrong with the files of apps before they run: for CI.
package check
