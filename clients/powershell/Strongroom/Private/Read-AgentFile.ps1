function Read-AgentFile {
    <#
    .SYNOPSIS
    What a JSON file of the agent holds; nothing where there is none.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $LiteralPath
    )

    if (Test-Path -LiteralPath $LiteralPath) {
        Get-Content -LiteralPath $LiteralPath -Raw -Encoding UTF8 | ConvertFrom-Json
    }
}
