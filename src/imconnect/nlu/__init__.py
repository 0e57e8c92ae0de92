"""Understanding: which language a message is in, what it is about, and how sure one may be of that."""
