"""Files by link: the server fetches a picture or a feed from the public internet, within strict bounds.

The server must not become anybody's way into its own network. A host name is resolved once, every address that it
stands for is checked, and the connection goes to one of these very addresses: no second look-up could say otherwise
(DNS rebinding). Redirects go one by one through the same door, and one deadline holds for all of it.
"""
