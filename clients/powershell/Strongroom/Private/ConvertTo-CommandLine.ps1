function ConvertTo-CommandLine {
    <#
    .SYNOPSIS
    Words as one command line from which Windows reads the same words again.
    .NOTES
    Source: "Parsing C command-line arguments" of Microsoft's C documentation: backslashes count only before a quote.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [string[]] $Word
    )

    $quoted = foreach ($each in $Word) {
        if ($each -match '^[^\s"]+$') {
            $each
        }
        else {
            '"' + (($each -replace '(\\*)"', '$1$1\"') -replace '(\\+)$', '$1$1') + '"'
        }
    }
    $quoted -join ' '
}
