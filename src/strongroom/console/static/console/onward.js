// Takes the one step of its page: the answer of an identity provider is sent once more, now from this site.
document.getElementById("onward").submit();
