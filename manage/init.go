package manage

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// projectFiles are the files of a new project, below project/.
//
//go:embed project
var projectFiles embed.FS

func (p *program) initCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "init [DIR]",
		GroupID: schemasGroup,
		Short:   "Write a new project: cotenant.toml and two apps",
		Long: `Init writes a project that runs at once, into DIR or here: cotenant.toml, a shared app that
says what is known of a tenant, and a tenant app with a table. Files that are there are not
touched: if there is one of these already, nothing is written.`,
		Example: fmt.Sprintf("  %[1]s init shop\n  cd shop && createdb shop && export DATABASE_URL=postgres://localhost/shop\n  %[1]s sync --migrate\n  %[1]s tenant create acme --domain-url=acme.localhost --name=Acme", p.config.name()),
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				if dir = args[0]; dir == "" {
					return usagef("the folder's name is empty (name one, or leave it out for this one)")
				}
			}
			return writeProject(cmd, dir)
		},
	}
	addGroups(cmd, "")
	return cmd
}

// writeProject writes the files into dir, or none.
func writeProject(cmd *cobra.Command, dir string) error {
	files, err := fs.Sub(projectFiles, "project")
	if err != nil {
		return err
	}
	var names []string
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		names = append(names, name)
		file := filepath.Join(dir, filepath.FromSlash(name))
		switch _, err := os.Lstat(file); {
		case err == nil:
			return fmt.Errorf("%s is there already: nothing was written (choose another folder)", file)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := writeFile(files, name, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(dir, filepath.FromSlash(name)))
	}
	cd := ""
	if dir != "." {
		if strings.ContainsAny(dir, " \t'\"$`\\&;()<>|*?") {
			dir = strconv.Quote(dir)
		}
		cd = "cd " + dir + "; "
	}
	fmt.Fprintf(cmd.OutOrStdout(), "\nNow, with the URL of an empty database:\n  %sexport DATABASE_URL=postgres://…\n  %[2]s sync --migrate\n  %[2]s tenant create acme --domain-url=acme.localhost\n", cd, cmd.Root().Name())
	return nil
}

func writeFile(files fs.FS, name, file string) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil { //nolint:gosec // as the user's umask has it
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // as the user's umask has it
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
