"""A finding as the body of a ticket: `content` says what is in it, `markup` writes it for a tracker."""
