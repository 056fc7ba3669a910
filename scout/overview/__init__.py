"""How is everything? What the status page and `scout status` say, and the API can say as well."""
