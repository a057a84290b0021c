// A mail names its case in the fragment of the link; this opens that case's page. Without it the case is in the list.
const id = location.hash.slice(1);
if (/^[a-z0-9]{16}$/.test(id)) location.replace("/declarebreach/case/" + id);
