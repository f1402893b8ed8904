"""`make chaos`: the real service under attack for as long as asked, and then the account of what became of its promises."""
