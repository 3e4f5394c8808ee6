from whetstone_cli.commands import app

app()
