// The WinRM server of Debian's golang-github-dylanmei-winrmtest-dev, with commands that the tests use.
// It prints where it listens, and ends when its standard input does.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dylanmei/winrmtest"
)

func main() {
	remote := winrmtest.NewRemote()
	defer remote.Close()
	remote.CommandFunc(winrmtest.MatchText("echo <tacos> & \"more\""), func(out, err io.Writer) int {
		fmt.Fprint(out, "<tacos> & ä\r\n")
		return 0
	})
	remote.CommandFunc(winrmtest.MatchText("fail"), func(out, err io.Writer) int {
		fmt.Fprint(out, "half")
		return 17
	})
	remote.CommandFunc(winrmtest.MatchPattern("^long "), func(out, err io.Writer) int {
		fmt.Fprint(out, strings.Repeat("0123456789", 50000))
		return 0
	})
	fmt.Printf("listening on %s:%d\n", remote.Host, remote.Port)
	io.Copy(io.Discard, os.Stdin)
}
