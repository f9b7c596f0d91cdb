"""`python -m strongroom.agent`: the same as the `strongroom` on a server."""

from strongroom.agent.main import main

raise SystemExit(main())
