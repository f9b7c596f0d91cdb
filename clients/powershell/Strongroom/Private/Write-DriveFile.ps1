function Write-DriveFile {
    <#
    .SYNOPSIS
    Writes lines as UTF-8 without a byte order mark, in a folder that only administrators can change.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $LiteralPath,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [string[]] $Line
    )

    $encoding = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
    [System.IO.File]::WriteAllText($LiteralPath, (($Line -join "`n") + "`n"), $encoding)
}
